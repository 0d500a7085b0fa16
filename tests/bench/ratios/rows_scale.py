"""What a report and `accord verify` cost in books that grow."""

import contextlib
import json
import statistics
import subprocess
import time

import books
import host
import servers

SMALL, MIDDLE, LARGE = 10**4, 10**6, 10**7
REPORT = f"/v1/revenue?period=2025-01&group_by=course&limit={books.FILLED_COURSES}"
POLLS = 40
SUMS = """
SELECT s.channel, l.provider, l.course_id, s.occurred_at / 86400000000, s.currency, count(*), sum(l.quantity),
    sum(l.paid), sum(l.store_fee), sum(l.payment_fee), sum(l.paid - l.store_fee - l.payment_fee),
    sum((l.paid - l.store_fee - l.payment_fee) / 2)
FROM sale s NOT INDEXED CROSS JOIN sale_line l ON l.seq = s.seq GROUP BY 1, 2, 3, 4, 5
"""


def report(running):
    """Milliseconds of a report that is computed, and what it says: a fact has come since the last."""
    line = json.dumps([{"event_id": f"e{time.time_ns()}", "type": "progress", "occurred_at": "2025-01-15T10:00:00Z",
                        "provider": "school", "course_id": "c1", "progress_ppm": 1}]).encode()
    running.send("shop", "POST", "/v1/events", line)
    began = time.perf_counter()
    body = running.send("shop", "GET", REPORT)[1]
    return 1000 * (time.perf_counter() - began), json.loads(body)


def median_report(running):
    return statistics.median(report(running)[0] for _ in range(POLLS))


@contextlib.contextmanager
def duckdb(orders):
    """Answers a function: milliseconds, and gross by course."""
    file = host.WORK / f"facts-{orders}.duckdb"
    process = subprocess.Popen(host.serving("node", host.PEERS / "duckdb.mjs", file, orders, books.FILLED_COURSES,
                                            books.FILLED_MONTHS), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               text=True)

    def ask():
        process.stdin.write("\n")
        process.stdin.flush()
        said = json.loads(process.stdout.readline())
        return said["ms"], said["gross"]

    try:
        yield ask
    finally:
        process.stdin.close()
        process.wait()


def grows(table, plan, running, small, orders, note):
    ratios, times = [], []
    for _ in range(plan.rounds):
        times.append((median_report(running), median_report(small)))
        ratios.append(times[-1][0] / times[-1][1])
    table.add("report_grows", f"revenue report by course at {orders:,} order facts: latency ÷ at {SMALL:,}", ratios,
              ("<=", 1.2), detail={"pairs": times},
              note="; ".join(filter(None, (note, f"{statistics.median(mine for mine, _ in times):.2f} ms"))))


def beside_duckdb(table, plan, running, orders, note):
    what = f"the same, computed: latency ÷ DuckDB aggregating {orders:,} raw facts"
    target = ("<=", 0.05)
    if not servers.peer_installed("@duckdb/node-api"):
        table.skip("report_duckdb", what, "its Node package is not installed", target)
        return
    ratios, times = [], []
    with duckdb(orders) as ask:
        _, mine = report(running)
        gross = {row["course"]["course_id"]: row["gross"]["amount"] for row in mine["rows"]}
        if ask()[1] != gross:
            raise RuntimeError("DuckDB and the report differ")
        for _ in range(plan.rounds):
            its = statistics.median(ask()[0] for _ in range(5))
            times.append((median_report(running), its))
            ratios.append(times[-1][0] / its)
    table.add("report_duckdb", what, ratios, target, detail={"pairs": times},
              note="; ".join(filter(None, (note, f"{statistics.median(its for _, its in times):.0f} ms there"))))


def one_statement(found):
    """Seconds of the sums that a report is made of, by SQLite from the raw facts, on the server's core."""
    program = ("import sqlite3, sys, time; db = sqlite3.connect(sys.argv[1]); began = time.monotonic();"
               "rows = db.execute(sys.argv[2]).fetchall(); print(time.monotonic() - began)")
    done = subprocess.run(host.serving("python3", "-c", program, found.database, SUMS), stdout=subprocess.PIPE,
                          text=True, check=True)
    return float(done.stdout)


def verified(table, plan, found, orders, note):
    """At 10^7 it takes minutes: all rows together show what this file's rows alone have found."""
    what = f"accord verify at {orders:,} facts: time ÷ the same sums in one SQL statement"
    target = ("<=", 1.5)
    if orders == LARGE and not plan.alone:
        times = books.note_of(orders).get("verify")
        if times is None:
            table.skip("verify", what, "takes minutes; ./dev bench scale", target)
            return
        note = f"found by ./dev bench scale, of {times['commit']}"
    else:
        times = {"verify_s": books.verify(found), "statement_s": one_statement(found),
                 "commit": host.describe()["commit"]}
        books.keep(orders, verify=times)
    table.add("verify", what, [times["verify_s"] / times["statement_s"]], target, detail=times,
              note="; ".join(filter(None, (note, f"{times['verify_s']:.0f} s"))))


def measure(table, plan):
    large = None if plan.quick else books.kept(LARGE)
    orders = MIDDLE // 10 if plan.quick else MIDDLE if large is None else LARGE
    found = books.filled(orders)
    note = ""
    if orders != LARGE:
        note = "--quick: smaller books" if plan.quick else "10,000,000 only after ./dev bench --fill"
    verified(table, plan, found, orders, note)
    with books.service(books.filled(SMALL).copy("small")) as small, \
            books.service(found if orders == LARGE else found.copy("scale")) as running:
        grows(table, plan, running, small, orders, note)
        beside_duckdb(table, plan, running, orders, note)
