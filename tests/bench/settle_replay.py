#!/usr/bin/env python3
"""A year of real sales under three agreements, closed month by month while it is replayed.

`settle_replay.py ACCORD FOLDER`: FOLDER has what settle.sh made of the data (orders-*.ndjson,
refunds-*.ndjson, goods.csv, sold.csv, best.csv, rates.csv). Refunds, and every hundredth order,
arrive after the month that they belong to is closed.
"""

import csv
import hashlib
import io
import json
import pathlib
import re
import sys
import time
from collections import Counter, defaultdict

import settle_want as want
from service import Refused, Service

FIRST, LAST = "2010-12", "2011-12"
TAIL = "2012-01"  # what became known after the last month was closed
LATE = 100
AGREEMENTS = ("best", "cpa", "tiered")
AT = re.compile(r'"occurred_at":"((\d{4}-\d\d)[^"]*)"')
EIGHTS = re.compile(r'"provider":"goods","course_id":"8')

failures = 0


def say(text):
    print("==", text, flush=True)


def fail(text):
    global failures
    failures += 1
    print("WRONG:", text, flush=True)


def facts(folder, name):
    """{month: facts in order of their time}"""
    months = defaultdict(list)
    for path in sorted(folder.glob(f"{name}-*.ndjson")):
        for line in path.read_text(encoding="utf-8").splitlines():
            at = AT.search(line)
            months[at[2]].append((at[1], EIGHTS.sub('"provider":"eights","course_id":"8', line)))
    return {month: [line for _, line in sorted(lines, key=lambda l: l[0])] for month, lines in months.items()}


def agreements(best):
    base = {"effective": {"from": "2010-12-01T00:00:00Z", "to": "2012-01-01T00:00:00Z"}, "tail_days": 31}
    guarantee = {"kind": "guarantee", "payee": "eights", "funded_by": "retail",
                 "amount_minor": want.GUARANTEE_FEN, "window": "period", "recoup": "future"}
    yield base | {
        "id": "tiered", "name": "Marginal tiers by year", "parties": ["goods", "retail"],
        "scope": {"providers": ["goods"], "channels": ["retail"]}, "currency": "GBP",
        "terms": [{"kind": "tiered", "payee": "goods", "metric": "net", "mode": "marginal", "window": "year",
                   "steps": [{"from": start, "share_ppm": rate} for start, rate in want.TIERS]},
                  {"kind": "residual", "payee": "retail"}]}
    yield base | {
        "id": "cpa", "name": "CPA and share, guaranteed", "parties": ["eights", "retail"],
        "scope": {"providers": ["eights"], "channels": ["retail"]}, "currency": "CNY", "fx": {"policy": "order_day"},
        "terms": [{"kind": "cpa", "payee": "eights", "amount_minor": want.CPA_FEN, "per": "line",
                   "cap_minor": want.CPA_CAP_FEN},
                  {"kind": "share", "payee": "eights", "share_ppm": want.CPA_SHARE},
                  guarantee, {"kind": "residual", "payee": "retail"}]}
    yield base | {
        "id": "best", "name": "The ten best sellers", "parties": ["goods", "eights", "retail"],
        "scope": {"channels": ["retail"],
                  "courses": [{"provider": want.provider(c), "course_id": c} for c in best]},
        "currency": "GBP", "refund": {"basis": "in_period"},
        "terms": [{"kind": "share", "payee": p, "share_ppm": want.BEST_SHARES[p]} for p in ("goods", "eights")] +
                 [{"kind": "residual", "payee": "retail"}]}


def prepare(service, folder, best):
    service.partner("goods", "provider", "GBP")
    service.partner("eights", "provider", "CNY")
    service.partner("retail", "channel", "GBP")
    titles = {"goods": io.StringIO(), "eights": io.StringIO()}
    rows = list(csv.reader((folder / "goods.csv").open(encoding="utf-8", newline="")))
    for partner, text in titles.items():
        csv.writer(text).writerows([rows[0]] + [r for r in rows[1:] if want.provider(r[0]) == partner])
        service.catalog(partner, text.getvalue().encode())
    for agreement in agreements(best):
        service.agree(agreement)


def replay(service, orders, refunds):
    counts = Counter()
    for month in list(want.months_of(FIRST, LAST)) + [TAIL]:
        sold = orders.get(month, [])
        began = time.monotonic()
        service.post("retail", [f for i, f in enumerate(sold) if i % LATE], counts)
        posted = time.monotonic() - began
        closed = 0
        for agreement in AGREEMENTS:
            drafts = service.draft(agreement, month)
            began = time.monotonic()
            if service.close(agreement, month) != drafts:
                fail(f"{agreement} {month}: a dry run said others")
            closed += time.monotonic() - began
        began = time.monotonic()
        service.post("retail", sold[::LATE] + refunds.get(month, []), counts)
        say(f"{month}: orders posted in {posted:.1f} s, closed in {closed:.1f} s, "
            f"what is late posted in {time.monotonic() - began:.1f} s")
    say(f"facts: {dict(counts)}; at most {service.peak()} MB of memory")


def parts_of(service, path):
    """What comes in parts that can be put together, part by part."""
    while path:
        head, text = service.send("operator", "GET", path, accept="application/x-ndjson")
        yield text
        link = re.match(r'<([^>]*)>; rel="next"', head["Link"] or "")
        path = link[1] if link else None


def derive(service, summary, body):
    """Computes a statement again from the inputs that its partner downloads, without the books."""
    path = service.folder / "inputs"
    digest = hashlib.blake2b(digest_size=32)
    with path.open("wb") as file:
        for part in parts_of(service, f"/v1/statements/{summary['id']}/inputs"):
            digest.update(part)
            file.write(part)
    said = dict(line.split(None, 1) for line in service.run("settle", "--inputs", str(path)).splitlines() if " " in line)
    has = [digest.hexdigest(), said["lines_hash"], int(said["closing"]), int(said["due"])]
    if has != [body[k] for k in ("inputs_hash", "lines_hash", "closing", "due")]:
        fail(f"{summary['id']}: derived again it is {said}")
    return path.stat().st_size


def read_statements(service):
    """Sums of all statements by (agreement, payee), with everything that can be checked of each."""
    earned, differences = defaultdict(int), Counter()
    last, positions, lines = {}, defaultdict(int), 0
    statements = sorted(service.pages("operator", "/v1/statements?limit=1000"),
                        key=lambda s: (s["agreement"], s["partner"], s["period"]))
    for summary in statements:
        name = f"{summary['agreement']} {summary['period']} {summary['partner']}"
        text = service.send("operator", "GET", f"/v1/statements/{summary['id']}")[1]
        if hashlib.blake2b(text, digest_size=32).hexdigest() != summary["hash"]:
            fail(f"{name}: its hash is another")
        body = json.loads(text)
        sums, digest = [0, 0], hashlib.blake2b(digest_size=32)
        adjusts = set()
        for page in parts_of(service, f"/v1/statements/{summary['id']}/lines"):
            digest.update(page)
            for line in page.splitlines():
                row = json.loads(line)
                lines += 1
                sums[0] += row["earned"]
                sums[1] += row["position"]
                if "adjusts" in row:
                    adjusts.add(row["line"])
        if digest.hexdigest() != body["lines_hash"]:
            fail(f"{name}: the hash of its lines is another")
        said = [body["lines"][k] + sum(d[k] for d in body["differences"]) for k in ("earned", "position")]
        if said != sums:
            fail(f"{name}: it says {said}, its lines {sums}")
        if len(adjusts) != sum(d["count"] for d in body["differences"]):
            fail(f"{name}: it counts other differences than its lines have")
        previous = last.get((summary["agreement"], summary["partner"]))
        if body["opening"] != (previous["closing"] if previous else 0) or (
                previous and body["previous"]["hash"] != previous["hash"]):
            fail(f"{name}: it does not follow the one before")
        if body["closing"] != body["opening"] + sums[1]:
            fail(f"{name}: its closing is not what its lines come to")
        last[summary["agreement"], summary["partner"]] = body | {"hash": summary["hash"]}
        earned[summary["agreement"], summary["partner"]] += sums[0]
        positions[summary["agreement"], summary["period"]] += sums[1]
        if summary["partner"] == "retail":  # a party of all three sees every line
            differences[summary["agreement"]] += len(adjusts)
    check_balances(service, last)
    for key, total in positions.items():
        if total:
            fail(f"{key}: positions add up to {total}")
    say(f"{len(statements)} statements with {lines} lines: hashes, sums and chains looked at")
    say(f"difference lines by agreement: {dict(differences)}, {sum(differences.values())} in all")
    return dict(earned)


def check_balances(service, last):
    """Accounts are what the last statements close with, and add up to zero."""
    page = service.call("operator", "GET", "/v1/balances?limit=1000")
    if any(total["amount"] for total in page["trial_balance"]):
        fail(f"the trial balance is {page['trial_balance']}")
    accounts = {(b["agreement"], b["partner"]): b["balance"]["amount"] for b in page["items"] if b["balance"]["amount"]}
    if accounts != {key: body["closing"] for key, body in last.items() if body["closing"]}:
        fail(f"accounts are {accounts}, not what statements close with")


def derive_all(service):
    """Every statement from its inputs, where the program can."""
    began, size, count = time.monotonic(), 0, 0
    for summary in service.pages("operator", "/v1/statements?limit=1000"):
        body = service.call("operator", "GET", f"/v1/statements/{summary['id']}")
        try:
            size += derive(service, summary, body)
        except Refused as refusal:
            fail(f"{summary['id']}: {refusal}")
        count += 1
    say(f"{count} statements derived again from inputs of {size / 1e6:.1f} MB in {time.monotonic() - began:.0f} s")


def read_reports(service):
    """The same from the revenue report, which knows no statements: by (agreement, payee)."""
    earned = defaultdict(int)
    for month in list(want.months_of(FIRST, LAST)) + [TAIL]:
        report = service.call("operator", "GET", f"/v1/revenue?period={month}&partner=retail&limit=1000")
        if report["pending_resettlement"] or report["next"]:
            fail(f"{month}: the report is not whole")
        for row in report["rows"]:
            for payee in row["payees"]:
                earned[row["agreement"], payee["payee"]] += payee["amount"]["amount"]
    return {key: amount for key, amount in earned.items() if amount}


def compare(name, expected, has):
    if expected == has:
        say(f"{name}: equal to the penny")
        return
    for key in sorted(expected.keys() | has.keys()):
        if expected.get(key, 0) != has.get(key, 0):
            fail(f"{name}: {key} is {has.get(key, 0)}, not {expected.get(key, 0)}")


def main():
    accord, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    best = (folder / "best.csv").read_text(encoding="utf-8").split()
    expected = want.want(want.read_sold(folder / "sold.csv"), set(best), want.Rates(folder / "rates.csv"),
                         list(want.months_of(FIRST, LAST)))
    for key, amount in sorted(expected.items()):
        say(f"{key[0]} pays {key[1]} {amount}, from the raw file")
    orders, refunds = facts(folder, "orders"), facts(folder, "refunds")
    began = time.monotonic()
    with Service(accord, folder / "replay") as service:
        say("rates: " + service.run("rates", "load", "--file", str(folder / "rates.csv")).replace("\n", "; "))
        prepare(service, folder, best)
        replay(service, orders, refunds)
        compare("statements against the raw file", expected, read_statements(service))
        compare("the revenue report against the raw file", expected, read_reports(service))
        say(f"books of {service.megabytes()} MB, at most {service.peak()} MB of memory, all in {time.monotonic() - began:.0f} s")
        if service.has("settle"):
            derive_all(service)
        else:
            say("skipped: this program has no `accord settle`")
        began = time.monotonic()
        say(f"accord verify: {service.run('verify').strip()}, in {time.monotonic() - began:.1f} s")
    if failures:
        sys.exit(f"{failures} wrong")


main()
