"""Events: one a request and a thousand a request, each durable when it is answered."""

import itertools
import json
import re
import subprocess
import urllib.request

import books
import host
import load
import pairs
import servers

SINGLE, BATCH = 1, 1000
BATCH_CONNECTIONS = 8
KEPT_MAX = 60_000  # facts that the raw loop takes: all of a run, or these
runs = itertools.count(1)


def transactions(running):
    with urllib.request.urlopen(f"http://{running.address}/metrics") as answer:
        text = answer.read().decode()
    return int(re.search(r'^accord_writer_transactions_total\{[^}]*book="live"[^}]*\} (\d+)', text, re.MULTILINE)[1])


def post(url, key, seconds, items, pinned=True):
    """Events a second that were answered."""
    report = load.wrk(url + "/v1/events", seconds, "events.lua", (), (key, f"run{next(runs)}", str(items)),
                      load.CONNECTIONS if items == SINGLE else BATCH_CONNECTIONS, pinned)
    return report["rate"] * items


def accord(prepared, seconds, items, pinned=True):
    """The rate, and the books that it left with how many facts a commit held."""
    found = prepared.copy("run")
    with books.service(found, pinned) as running:
        before = transactions(running)
        rate = post("http://" + running.address, found.keys["shop"], seconds, items, pinned)
        commits = transactions(running) - before
    head = prepared.one("SELECT seq FROM journal_head")
    facts = found.one(f"SELECT count(*) FROM fact WHERE seq > {head}")
    books.at_rest(found.folder)
    return rate, found, facts / max(commits, 1)


def raw(prepared, run, pinned=True):
    """Events a second that a loop of inserts makes durable: the same rows, as many in a commit."""
    _, source, per_commit = run
    head = prepared.one("SELECT seq FROM journal_head")
    target = prepared.copy("raw")
    command = [host.CEILINGS / "bench-insert", host.BENCH / "ceilings" / "facts.sql", source.database,
               target.database, head, round(per_commit), head + KEPT_MAX]
    done = subprocess.run(host.serving(*command) if pinned else host.anywhere(*command), stdout=subprocess.PIPE,
                          text=True, check=True)
    report = json.loads(done.stdout)
    return target.one(f"SELECT count(*) FROM fact WHERE seq > {head}") / report["seconds"]


def bare(prepared, seconds, items):
    """Events a second that somebody reads who does nothing with them."""
    body = json.dumps({"accepted": 1, "duplicate": 0, "conflict": 0, "rejected": 0, "as_of": "AAAAAAAAAAAAAA",
                       "results": [{"event_id": "run1-1", "status": "accepted"}]}).encode()
    headers = {"X-Request-Id": "0" * 24, "Content-Type": "application/json"}
    with servers.answer(200, headers, body) as url:
        return post(url, prepared.keys["shop"], seconds, items)


def fastify(prepared, seconds, items, mode):
    target = prepared.copy("peer")
    with servers.fastify(target.database, target.keys["shop"], mode) as url:
        rate = post(url, target.keys["shop"], seconds, items)
    if target.one("SELECT count(*) FROM fact") == 0:
        raise RuntimeError("the peer has written nothing")
    return rate


def peers(prepared, plan, items):
    return {mode: lambda _, mode=mode: fastify(prepared, plan.seconds, items, mode) for mode in ("each", "group")}


def add(table, name, what, found, rows):
    for other, label, target in rows:
        row = f"{name}_{other}", f"{what}: events/s ÷ {label}"
        if other not in found:
            table.skip(*row, "its Node packages are not installed", target)
        else:
            rates = [subject for subject, _ in found[other].pairs]
            table.add(*row, found[other].ratios(), target, detail={"pairs": found[other].pairs},
                      note=f"{sorted(rates)[len(rates) // 2]:.0f} events/s")


def measure(table, plan):
    prepared = books.make("events")
    have = peers if servers.peers_installed() else lambda *_: {}
    others = {"raw": lambda run: raw(prepared, run), "bare": lambda _: bare(prepared, plan.seconds, SINGLE)}
    found = pairs.alternate(plan.rounds, lambda: accord(prepared, plan.seconds, SINGLE),
                            others | have(prepared, plan, SINGLE))
    add(table, "event", "one event per POST, durable", found, [
        ("raw", "raw SQLite loop", (">=", 0.6)), ("bare", "bare libmicrohttpd reading the body", None),
        ("each", "Fastify, one transaction per request", (">=", 3)), ("group", "Fastify with group commit", None)])
    found = pairs.alternate(plan.rounds, lambda: accord(prepared, plan.seconds, SINGLE, False),
                            {"raw": lambda run: raw(prepared, run, False)})
    add(table, "event_unpinned", "the same, nothing pinned", found, [("raw", "raw SQLite loop", None)])
    others = {"raw": lambda run: raw(prepared, run)}
    found = pairs.alternate(plan.rounds, lambda: accord(prepared, plan.seconds, BATCH),
                            others | have(prepared, plan, BATCH))
    add(table, "batch", "NDJSON batches of 1,000 events, durable", found, [
        ("raw", "raw SQLite loop", (">=", 0.6)), ("each", "Fastify, one transaction per request", (">=", 1.2)),
        ("group", "Fastify with group commit", None)])
