"""What large books cost: memory, and the time to start."""

import contextlib
import http.client
import pathlib
import re
import subprocess
import time

import books
import host
import load
import rows_catalog

COURSES = 100_000
LIMIT_MIB, LIMIT_KIB, LIMIT_MS = 96, 20, 150
MORE_CONNECTIONS = 400
STARTS = 5


def memory(process, name):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(rf"{name}:\s*(\d+) kB", status)[1]) / 1024


def under_load(found, seconds):
    """MiB at most while 64 connections do what partners do all day."""
    with books.service(found, pinned=False) as running:
        idle = memory(running.process, "VmRSS")
        report = load.wrk("http://" + running.address, seconds, "mixed.lua", (),
                          (found.keys["shop"], f"mixed{time.time_ns()}"))
        return memory(running.process, "VmHWM"), idle, report["rate"]


def each_connection(found):
    """KiB that a further connection takes once it has been answered, and waits."""
    with books.service(found, pinned=False) as running, contextlib.ExitStack() as stack:

        def connect():
            connection = http.client.HTTPConnection(running.address, timeout=10)
            stack.callback(connection.close)
            connection.request("GET", "/v1/revenue?period=2025-01", headers={
                "Authorization": "Bearer " + found.keys["shop"]})
            connection.getresponse().read()

        for _ in range(load.CONNECTIONS):
            connect()
        before = memory(running.process, "VmRSS")
        for _ in range(MORE_CONNECTIONS):
            connect()
        return 1024 * (memory(running.process, "VmRSS") - before) / MORE_CONNECTIONS


def start(found):
    """Milliseconds from the command to the first answer."""
    port = host.free_port()
    service = books.service(found, pinned=False)
    service.env["ACCORD_LISTEN"] = f"127.0.0.1:{port}"
    began = time.monotonic()
    process = subprocess.Popen(host.anywhere(service.accord, "serve"), env=service.env)
    try:
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            try:
                connection.request("GET", "/readyz")
                if connection.getresponse().status == 200:
                    return 1000 * (time.monotonic() - began)
            except OSError:
                time.sleep(0.001)
            finally:
                connection.close()
    finally:
        process.terminate()
        process.wait()


def measure(table, plan):
    orders = 10**5 if plan.quick else 10**6
    courses = COURSES // 5 if plan.quick else COURSES
    short = "--quick: smaller books" if plan.quick else ""
    found = books.filled(orders).copy("large")
    with books.service(found) as running:
        running.partner("library", "provider", "EUR")
        books.agree(running, "library")
        rows_catalog.bring(running, rows_catalog.ndjson(courses), "library")
        found.keys |= running.keys
    books.at_rest(found.folder)
    what = f"{courses:,} courses, {orders:,} facts"
    peak, idle, rate = under_load(found, 5 * plan.seconds)
    note = f"{idle:.0f} MiB before it, {rate:.0f} requests/s"
    table.add("memory", f"{what}, 64 connections under load: resident memory", [peak], ("<=", LIMIT_MIB), "MiB",
              "; ".join(filter(None, (short, note))))
    table.add("memory_connection", "the same, each further connection", [each_connection(found)], ("<=", LIMIT_KIB),
              "KiB", short)
    table.add("start", f"{what}: start to first answer", [start(found) for _ in range(STARTS)], ("<=", LIMIT_MS),
              "ms", short)
