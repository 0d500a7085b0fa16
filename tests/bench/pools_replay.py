#!/usr/bin/env python3
"""A population of learners as members, their clicks as usage, and what three methods make of it.

`pools_replay.py ACCORD FOLDER`: FOLDER has clicks.tsv and registrations.csv. Three channels sell the
same memberships to the same learners and divide their pools each by another method. Every hundredth
row of usage and every tenth cancellation arrives after the month that it belongs to is closed.
"""

import csv
import io
import json
import pathlib
import sys
import time
from collections import Counter, defaultdict
from datetime import datetime, time as clock, timedelta, timezone

import pools_want as want
from service import Refused, Service

CHANNELS = {"even": "pro_rata", "each": "user_centric", "equal": "shapley"}
IDLE = {"pro_rata": "spread", "user_centric": "retain", "shapley": "retain"}
POOL, OFFER, TAIL = "library", "all-you-can-learn", "2015-06"
LATE_USAGE, LATE_CANCELLATIONS = 100, 10
PERIOD = {"from": "2013-02-01T00:00:00Z", "to": "2015-06-01T00:00:00Z"}

failures = 0


def say(text):
    print("==", text, flush=True)


def fail(text):
    global failures
    failures += 1
    print("WRONG:", text, flush=True)


def at(day, hour=0):
    return datetime.combine(day, clock(hour), timezone.utc).isoformat()


def fact(**members):
    return json.dumps(members, separators=(",", ":"))


# ---- what is posted ----

def facts(members, clicks):
    """{month: (in time, late)}: lines of facts."""
    months = defaultdict(lambda: ([], []))
    for number, (_, member) in enumerate(members):
        months[f"{member.start:%Y-%m}"][0].append(fact(
            event_id=f"m-{number}", type="membership.started", occurred_at=at(member.start),
            membership_id=f"m-{number}", offer=OFFER, learner=member.learner, currency="GBP", paid=member.paid,
            **{"from": at(member.start), "to": at(member.end)}))
        if member.stopped is not None:
            day = member.start + timedelta(member.stopped)
            months[f"{day:%Y-%m}"][number % LATE_CANCELLATIONS == 0].append(fact(
                event_id=f"c-{number}", type="membership.cancelled", occurred_at=at(day), membership_id=f"m-{number}",
                amount=member.refunded()))
    for number, ((module, presentation, learner, site, day), count) in enumerate(clicks.items()):
        months[f"{day:%Y-%m}"][number % LATE_USAGE == 0].append(fact(
            event_id=f"u-{module}-{presentation}-{learner}-{site}-{day}", type="usage", occurred_at=at(day, 12),
            learner=learner, provider=want.provider(site), course_id=site, seconds=count))
    return months


def prepare(service, sites):
    for name in want.PROVIDERS:
        service.partner(name, "provider", "GBP")
        text = io.StringIO()
        csv.writer(text).writerows([["course_id", "title"]] + [[s, f"Activity {s}"] for s in sorted(sites)
                                                               if want.provider(s) == name])
        service.catalog(name, text.getvalue().encode())
    for channel, method in CHANNELS.items():
        service.partner(channel, "channel", "GBP")
        pool = {"title": "The library", "currency": "GBP", "time_zone": "UTC", "from": "2013-02",
                "share_ppm": want.SHARE_PPM, "basis": "seconds", "method": method, "idle": IDLE[method]}
        put(service, channel, f"/v1/pools/{POOL}", pool)
        put(service, channel, f"/v1/offers/{OFFER}", {
            "kind": "membership", "title": "All you can learn", "currency": "GBP", "price": 7900, "items": [],
            "valid": {"from": PERIOD["from"]}, "membership": {"days": want.TERM_DAYS, "pool": POOL}})
        base = {"effective": PERIOD, "currency": "GBP", "tail_days": 31, "parties": [channel, "operator"]}
        service.agree(base | {
            "id": f"members-{channel}", "name": "Memberships",
            "scope": {"channels": [channel], "providers": ["operator"]},
            "terms": [{"kind": "share", "payee": channel, "share_ppm": 300_000}, {"kind": "residual", "payee": "operator"}]})
        for name in want.PROVIDERS:
            service.agree(base | {
                "id": f"{name}-{channel}", "name": "Joins the library", "parties": [name, channel],
                "scope": {"channels": [channel], "providers": [name]},
                "terms": [{"kind": "pool", "channel": channel, "pool": POOL, "version": 1},
                          {"kind": "residual", "payee": channel}]})


def put(service, key, path, value):
    head = {"Authorization": "Bearer " + service.keys[key], "Content-Type": "application/json", "If-None-Match": "*"}
    service.connection.request("PUT", path, json.dumps(value).encode(), head)
    answer = service.connection.getresponse()
    text = answer.read()
    if answer.status != 201:
        raise Refused(f"PUT {path}: {answer.status} {text[:500].decode()}")


# ---- a year and more ----

def agreements():
    for channel in CHANNELS:
        yield f"members-{channel}"
        for name in want.PROVIDERS:
            yield f"{name}-{channel}"


def divided(service, label):
    """Waits until the months up to one are divided: until then what is known changes by itself."""
    for channel in CHANNELS:
        for known, _, _ in want.months():
            while known <= label:
                try:
                    month = service.call("operator", "GET", f"/v1/pools/{POOL}/periods/{known}?channel={channel}")
                except Refused:  # nobody put anything in
                    break
                if not month["pending"]:
                    break
                time.sleep(0.05)


def replay(service, months):
    counts = Counter()
    labels = [label for label, _, _ in want.months()] + [TAIL]
    early = sorted(label for label in months if label < labels[0])
    for label in labels:
        in_time, late = months.get(label, ([], []))
        if label == labels[0]:
            in_time = [line for before in early for part in months[before] for line in part] + in_time
        began = time.monotonic()
        for channel in CHANNELS:
            service.post(channel, in_time, counts, "/v1/events")
        divided(service, label)
        posted = time.monotonic() - began
        closed = 0
        for agreement in agreements():
            drafts = service.draft(agreement, label)
            began = time.monotonic()
            if service.close(agreement, label) != drafts:
                fail(f"{agreement} {label}: a dry run said others")
            closed += time.monotonic() - began
        for channel in CHANNELS:
            service.post(channel, late, counts, "/v1/events")
        say(f"{label}: {len(in_time)} facts a channel in {posted:.1f} s, closed in {closed:.1f} s, {len(late)} late")
    # What lies behind the last period is nobody's month.
    for label in sorted(label for label in months if label > labels[-1]):
        for channel in CHANNELS:
            service.post(channel, months[label][0] + months[label][1], counts, "/v1/events")
    say(f"facts: {dict(counts)}; at most {service.peak()} MB of memory")
    if counts["rejected"] or counts["conflict"]:
        fail(f"facts were refused: {dict(counts)}")


# ---- what came of it ----

def check_pools(service, expected):
    for channel, method in CHANNELS.items():
        total = Counter()
        for label, (fees, members, amounts) in expected[method].items():
            pool = service.call("operator", "GET", f"/v1/pools/{POOL}/periods/{label}?channel={channel}")
            has = {row["provider"]: row["amount"]["amount"] for row in pool["providers"]}
            hopes = {name: amount for name, amount in zip(want.PROVIDERS, amounts) if amount}
            if {k: v for k, v in has.items() if v} != hopes:
                fail(f"{channel} {label}: {has}, not {hopes}")
            if [pool["fees"]["amount"], pool["members"]] != [fees, members]:
                fail(f"{channel} {label}: fees {pool['fees']} of {pool['members']}, not {fees} of {members}")
            if pool["fees"]["amount"] != sum(has.values()) + pool["unclaimed"]["amount"]:
                fail(f"{channel} {label}: does not add up")
            total.update(hopes)
            total["(unclaimed)"] += fees - sum(amounts)
            total["(all)"] += fees
        yield channel, total


def check_statements(service, totals):
    """Pool lines of all statements, period by period, differences included, are what pools come to."""
    earned, differences, count = Counter(), 0, 0
    for summary in service.pages("operator", "/v1/statements?limit=1000"):
        count += 1
        body = service.call("operator", "GET", f"/v1/statements/{summary['id']}")
        if summary["partner"] not in want.PROVIDERS:
            continue
        earned[summary["agreement"]] += body["lines"]["earned"] + sum(d["earned"] for d in body["differences"])
        differences += sum(d["count"] for d in body["differences"])
    for channel, total in totals.items():
        for name in want.PROVIDERS:
            if earned[f"{name}-{channel}"] != total[name]:
                fail(f"{name} has {earned[f'{name}-{channel}']} of {channel}'s statements, not {total[name]}")
    page = service.call("operator", "GET", "/v1/balances?limit=1000")
    if any(row["amount"] for row in page["trial_balance"]):
        fail(f"the trial balance is {page['trial_balance']}")
    pools = Counter()
    for row in page["items"]:
        if row["account"] == "settlement":
            pools[row["partner"]] += row["balance"]["amount"]
    for channel, total in totals.items():
        if pools[f"@pool:{channel}/{POOL}"] != total["(unclaimed)"]:
            fail(f"the pool of {channel} holds {pools[f'@pool:{channel}/{POOL}']}, not {total['(unclaimed)']}")
    say(f"{count} statements, {differences} difference lines of providers: equal to the penny, trial balance zero")


def derive_all(service):
    began, count = time.monotonic(), 0
    path = service.folder / "inputs"
    for summary in service.pages("operator", "/v1/statements?limit=1000"):
        body = service.call("operator", "GET", f"/v1/statements/{summary['id']}")
        path.write_bytes(service.send("operator", "GET", f"/v1/statements/{summary['id']}/inputs",
                                      accept="application/x-ndjson")[1])
        said = dict(l.split(None, 1) for l in service.run("settle", "--inputs", str(path)).splitlines() if " " in l)
        if [said["lines_hash"], int(said["closing"])] != [body["lines_hash"], body["closing"]]:
            fail(f"{summary['id']}: derived again it is {said}")
        count += 1
    say(f"{count} statements derived again from their inputs in {time.monotonic() - began:.0f} s")


def table(totals):
    print(f"{'pence':12}" + "".join(f"{CHANNELS[c]:>14}" for c in CHANNELS))
    for name in want.PROVIDERS + ["(unclaimed)", "(all)"]:
        print(f"{name:12}" + "".join(f"{totals[c][name]:14,}" for c in CHANNELS))


def main():
    accord, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    clicks = want.read_clicks(folder / "clicks.tsv")
    members = list(want.read_members(folder / "registrations.csv", {key[:2] for key in clicks}))
    say(f"{len(clicks)} rows of usage, {sum(clicks.values())} clicks, {len(members)} memberships, from the raw file")
    expected = want.want(members, clicks)
    began = time.monotonic()
    with Service(accord, folder / "replay") as service:
        prepare(service, {key[3] for key in clicks})
        replay(service, facts(members, clicks))
        totals = dict(check_pools(service, expected))
        check_statements(service, totals)
        say(f"books of {service.megabytes()} MB, at most {service.peak()} MB of memory, all in {time.monotonic() - began:.0f} s")
        derive_all(service)
        began = time.monotonic()
        say(f"accord verify: {service.run('verify').strip()}, in {time.monotonic() - began:.1f} s")
    table(totals)
    if failures:
        sys.exit(f"{failures} wrong")


main()
