"""Polls: what has not changed, and a report that has."""

import books
import host
import load
import pairs
import servers

REPORT = "/v1/revenue?period=2026-01&group_by=course&limit="
REPORT_BYTES = 4096


def fetch(running, path):
    running.connection.close()
    return running.send("shop", "GET", path)


def report_of_size(running):
    """The path of the report with about 4 KB, its headers and its bytes."""
    best = None
    for rows in range(1, 20):
        headers, body = fetch(running, REPORT + str(rows))
        if best is None or abs(len(body) - REPORT_BYTES) < abs(len(best[2]) - REPORT_BYTES):
            best = REPORT + str(rows), headers, body
    return best


def measure(table, plan):
    prepared = books.make("polls", lambda running: books.month_of_orders(running, 2000))
    with books.service(prepared) as running:
        path, headers, body = report_of_size(running)
        url = f"http://{running.address}{path}"
        auth = f"Authorization: Bearer {running.keys['shop']}"
        unchanged = [auth, f"If-None-Match: {headers['ETag']}"]
        status, own = not_modified(running, path, headers["ETag"])

        def poll(address, head):
            return load.wrk(address, plan.seconds, headers=head)["rate"]

        with servers.answer(status, own, b"") as bare:
            found = pairs.alternate(plan, lambda: poll(url, unchanged),
                                    {"bare": lambda _: poll(bare + path, unchanged)})
        table.add("poll_304", "poll, unchanged (304): requests/s ÷ bare libmicrohttpd", found["bare"].ratios(),
                  (">=", 0.75), detail={"pairs": found["bare"].pairs})
        with servers.nginx(headers, body) as file, servers.answer(200, headers, body) as bare:
            found = pairs.alternate(plan, lambda: poll(url, [auth]),
                                    {"nginx": lambda _: poll(file + "/report", [auth]),
                                     "bare": lambda _: poll(bare + path, [auth])})
        what = f"poll, report of {len(body)} bytes (200): requests/s ÷ "
        table.add("poll_200", what + "nginx, a file of the same bytes", found["nginx"].ratios(), (">=", 0.9),
                  detail={"pairs": found["nginx"].pairs})
        table.add("poll_200_bare", what + "bare libmicrohttpd", found["bare"].ratios(),
                  detail={"pairs": found["bare"].pairs})


def not_modified(running, path, etag):
    """Status and headers of the answer that nothing has changed."""
    running.connection.close()
    running.connection.request("GET", path, headers={"Authorization": "Bearer " + running.keys["shop"],
                                                     "If-None-Match": etag})
    answer = running.connection.getresponse()
    answer.read()
    if answer.status != 304:
        raise RuntimeError(f"{path}: {answer.status} where nothing has changed")
    return answer.status, answer.headers
