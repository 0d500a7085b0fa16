#!/usr/bin/env python3
"""What it costs to close a month, in books that grow: `settle_cost.py [--huge] ACCORD FOLDER`.

One agreement with a tiered term by year. Before each measurement the month before it takes in as many
orders as the books lack of 10^5, 10^6 and (with --huge) 10^7; then a month of 10,000 is posted and
closed. All orders are of one line. The cost should follow the month's lines, not the books.
"""

import sys
import time
from collections import Counter

from service import Service

LINES = 10_000
COURSES = 100
DAY_ORDERS = 28


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


def main():
    huge = sys.argv[1] == "--huge"
    accord, folder = sys.argv[-2:]
    measured, total, number = [], 0, 0
    with Service(accord, folder + "/cost") as service:
        prepare(service)
        for size in [10**5, 10**6] + [10**7] * huge:
            before, month = f"2020-{number + 1:02}", f"2020-{number + 2:02}"
            number += 2
            fill = size - total - LINES
            posted = post(service, before, total, fill)
            filled = close(service, before)
            print(f"== {fill} orders posted in {posted:.1f} s ({fill / posted:.0f}/s); their month closed in "
                  f"{filled:.2f} s ({fill / filled:.0f} lines/s); at most {service.peak()} MB of memory", flush=True)
            post(service, month, size - LINES, LINES)
            took = close(service, month)
            total = size
            measured.append(took)
            print(f"== in books of {size} orders, {service.megabytes()} MB: a month of {LINES} closed in {took:.3f} s "
                  f"({LINES / took:.0f} lines/s), {took / measured[0]:.2f} times that of the smallest books", flush=True)


main()
