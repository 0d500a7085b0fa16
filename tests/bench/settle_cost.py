#!/usr/bin/env python3
"""What it costs to close a month, in books that grow: `settle_cost.py [--huge] ACCORD FOLDER`.

One agreement with a tiered term by year, in books of 10^5, 10^6 and (with --huge) 10^7 orders, all in the first
month. Then months of 10,000 are posted to each, and closed in turns, so that a machine that is busy is so
for all of them. All orders are of one line. The cost should follow the month's lines, not the books.
"""

import contextlib
import statistics
import sys
import time
from collections import Counter

from service import Service

LINES = 10_000
COURSES = 100
DAY_ORDERS = 28
TURNS = 7
FILLED = "2020-01"


def orders(month, first, count):
    for i in range(first, first + count):
        yield (f'{{"event_id":"o{i}","type":"order.paid","occurred_at":"{month}-{1 + i % DAY_ORDERS:02}'
               f'T{i % 24:02}:{i % 60:02}:00Z","order_id":"o{i}","currency":"EUR","lines":[{{"line_id":"1",'
               f'"provider":"school","course_id":"c{i % COURSES}","quantity":1,"paid":{500 + i * 7919 % 20011}}}]}}')


def prepare(service):
    service.partner("school", "provider", "EUR")
    service.partner("shop", "channel", "EUR")
    service.catalog("school", ("course_id,title\n" + "".join(f"c{i},Course {i}\n" for i in range(COURSES))).encode())
    service.agree({
        "id": "cost", "name": "Cost", "parties": ["school", "shop"], "currency": "EUR",
        "scope": {"providers": ["school"], "channels": ["shop"]}, "effective": {"from": "2020-01-01T00:00:00Z"},
        "terms": [{"kind": "tiered", "payee": "school", "metric": "net", "mode": "marginal", "window": "year",
                   "steps": [{"from": 0, "share_ppm": 500000}, {"from": 10000000, "share_ppm": 600000}]},
                  {"kind": "residual", "payee": "shop"}]})


def post(service, month, first, count):
    counts = Counter()
    began = time.monotonic()
    service.post("shop", orders(month, first, count), counts)
    if counts["accepted"] != count:
        sys.exit(f"WRONG: posting {count} orders came to {dict(counts)}")
    return time.monotonic() - began


def close(service, month):
    began = time.monotonic()
    if service.close("cost", month) is None:
        print("== no answer in time: the close of so many lines outlasts the service's deadline", flush=True)
    took = time.monotonic() - began
    return took


def fill(accord, folder, stack, size):
    """Books of so many orders, all but a month of them closed."""
    service = stack.enter_context(Service(accord, f"{folder}/cost-{size}"))
    prepare(service)
    posted = post(service, FILLED, 0, size - LINES)
    service.connection.close()
    filled = close(service, FILLED)
    print(f"== {size - LINES} orders posted in {posted:.1f} s ({(size - LINES) / posted:.0f}/s); their month closed in "
          f"{filled:.2f} s; {service.megabytes()} MB, at most {service.peak()} MB of memory", flush=True)
    return service


def main():
    sizes = [10**5, 10**6] + [10**7] * (sys.argv[1] == "--huge")
    accord, folder = sys.argv[-2:]
    with contextlib.ExitStack() as stack:
        books = {size: fill(accord, folder, stack, size) for size in sizes}
        took = {size: [] for size in sizes}
        for turn in range(TURNS):
            month = f"2020-{turn + 2:02}"
            for size, service in books.items():
                service.connection.close()  # it may have waited longer than a connection is kept
                post(service, month, size + (turn - 1) * LINES, LINES)
            for size, service in books.items():
                took[size].append(close(service, month))
    for size in sizes:
        ratios = [t / least for t, least in zip(took[size], took[sizes[0]])]
        print(f"== in books of {size} orders a month of {LINES} closed in {statistics.median(took[size]):.3f} s, "
              f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) times what it took in those of {sizes[0]}, "
              f"turn by turn", flush=True)


if __name__ == "__main__":
    main()
