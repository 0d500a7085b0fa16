#!/usr/bin/env python3
"""Turns public data sets into requests: `real_convert.py retail|ratings FILE FOLDER`.

Writes numbered bodies (*.ndjson, at most 1,000 facts or 12 MB each) and a catalog into FOLDER.
What is wrong in the data goes into the requests as it is: refusing it is the service's work.
"""

import csv
import json
import pathlib
import sys
from bisect import bisect_right
from collections import defaultdict
from datetime import datetime, timezone
from decimal import Decimal

FACTS_MAX = 1000
BYTES_MAX = 12_000_000


class Bodies:
    """Facts into files small enough for one request each."""

    def __init__(self, folder, name):
        self.folder, self.name, self.number = folder, name, 0
        self.lines, self.size = [], 0

    def add(self, text):
        if len(self.lines) == FACTS_MAX or self.size + len(text) > BYTES_MAX:
            self.flush()
        self.lines.append(text)
        self.size += len(text) + 1

    def flush(self):
        if self.lines:
            path = self.folder / f"{self.name}-{self.number:04}.ndjson"
            path.write_text("\n".join(self.lines) + "\n", encoding="utf-8")
            self.number += 1
        self.lines, self.size = [], 0


def minor(decimal):
    """Pence as they stand in the data: a plain integer, or else with its decimals."""
    pence = decimal * 100
    return str(int(pence)) if pence == int(pence) else format(pence, "f")


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def paid_fact(invoice, at, lines):
    # `paid` is written as text, so that a fraction of a penny reaches the service unrounded.
    body = ",".join(
        '{"line_id":"%d","provider":"goods","course_id":%s,"quantity":%d,"paid":%s}'
        % (number, compact(code), quantity, minor(quantity * price) if price * 100 == int(price * 100)
           else format(quantity * price * 100, "f"))
        for number, code, quantity, price in lines
    )
    return (
        '{"event_id":%s,"type":"order.paid","occurred_at":"%s","order_id":%s,"currency":"GBP","lines":[%s]}'
        % (compact(invoice), at, compact(invoice), body)
    )


def retail(path, folder):
    invoices, order = {}, []
    titles = {}
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            number = row["InvoiceNo"]
            if number not in invoices:
                invoices[number] = []
                order.append(number)
            row["Quantity"], row["UnitPrice"] = int(row["Quantity"]), Decimal(row["UnitPrice"])
            row["line"] = len(invoices[number]) + 1
            invoices[number].append(row)
            if row["Description"] or row["StockCode"] not in titles:
                titles[row["StockCode"]] = row["Description"].strip() or row["StockCode"]

    with open(folder / "goods.csv", "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["course_id", "title"])
        out.writerows(sorted(titles.items()))

    at = {number: rows[0]["InvoiceDate"].replace(" ", "T") + "Z" for number, rows in invoices.items()}
    bodies = Bodies(folder, "orders")
    bought = defaultdict(list)  # (customer, code) -> [(at, invoice, line)]
    for number in order:
        if number.startswith("C"):
            continue
        rows = invoices[number]
        bodies.add(paid_fact(number, at[number],
                             [(r["line"], r["StockCode"], r["Quantity"], r["UnitPrice"]) for r in rows]))
        for row in rows:
            if row["CustomerID"] and row["Quantity"] > 0:
                bought[row["CustomerID"], row["StockCode"]].append((at[number], number, row["line"]))
    bodies.flush()
    for purchases in bought.values():
        purchases.sort()

    bodies = Bodies(folder, "refunds")
    unmatched = 0
    for number in order:
        if not number.startswith("C"):
            continue
        back = defaultdict(lambda: defaultdict(Decimal))  # invoice -> line -> amount
        for row in invoices[number]:
            purchases = bought.get((row["CustomerID"], row["StockCode"]), []) if row["CustomerID"] else []
            place = bisect_right(purchases, (at[number], "\U0010ffff", 0))
            if place == 0:
                unmatched += 1
                continue
            _, invoice, line = purchases[place - 1]
            back[invoice][line] += -row["Quantity"] * row["UnitPrice"]
        for invoice, lines in back.items():
            name = f"{number}/{invoice}"
            bodies.add(
                '{"event_id":%s,"type":"order.refunded","occurred_at":"%s","order_id":%s,"refund_id":%s,"lines":[%s]}'
                % (compact(name), at[number], compact(invoice), compact(name),
                   ",".join('{"line_id":"%d","amount":%s}' % (line, minor(amount))
                            for line, amount in sorted(lines.items())))
            )
    bodies.flush()
    print(f"{unmatched} cancelled lines have no earlier purchase by that customer and are left out")


def ratings(path, folder):
    bodies = Bodies(folder, "ratings")
    courses = set()
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            courses.add(row["course_id"])
            mark = Decimal(row["mark"])
            fact = {
                "event_id": row["comment_id"],
                "type": "review" if row["content"].strip() else "rating",
                "occurred_at": datetime.fromtimestamp(int(row["gmt_modified_ms"]) / 1000, timezone.utc)
                .isoformat(timespec="seconds"),
                "provider": "icourse163",
                "course_id": row["course_id"],
                "learner": row["user_hash"],
                "value": int(mark) if mark == int(mark) else str(mark),
            }
            if fact["type"] == "review":
                fact |= {"text": row["content"], "language": "zh"}
            bodies.add(compact(fact))
    bodies.flush()
    with open(folder / "icourse163.csv", "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["course_id", "title", "language"])
        out.writerows((course, f"课程 {course}", "zh") for course in sorted(courses))


def main():
    kind, path, folder = sys.argv[1:]
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    {"retail": retail, "ratings": ratings}[kind](path, folder)


main()
