"""Events: one a request and a thousand a request, each durable when it is answered."""

import contextlib
import itertools
import json
import re
import sqlite3
import urllib.request

import books
import ceilings
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


class Load:
    """What is posted: so many items a request, of one kind, for some seconds."""

    def __init__(self, plan, items, kind="progress", pinned=True):
        self.seconds, self.items, self.kind, self.pinned = plan.seconds, items, kind, pinned
        self.connections = load.CONNECTIONS if items == SINGLE else BATCH_CONNECTIONS

    def post(self, url, key):
        """Events a second that were answered."""
        report = load.wrk(url + "/v1/events", self.seconds, "events.lua", (),
                          (key, f"run{next(runs)}", str(self.items), self.kind), self.connections, self.pinned)
        return report["rate"] * self.items


def accord(prepared, posted):
    """The rate, and the books that it left with how many facts a commit held."""
    found = prepared.copy("run")
    with books.service(found, posted.pinned) as running:
        before = transactions(running)
        rate = posted.post("http://" + running.address, found.keys["shop"])
        commits = transactions(running) - before
    head = prepared.one("SELECT seq FROM journal_head")
    facts = found.one(f"SELECT count(*) FROM fact WHERE seq > {head}")
    books.at_rest(found.folder)
    return rate, found, facts / max(commits, 1)


def raw(prepared, run, pinned=True):
    """Events a second that a loop of inserts makes durable: the same rows, as many in a commit."""
    _, source, per_commit = run
    per_commit = round(per_commit)
    head = prepared.one("SELECT seq FROM journal_head")
    return ceilings.insert("facts.sql", source, prepared.copy("raw"), "fact", per_commit, head, per_commit,
                           head + KEPT_MAX, pinned=pinned)


def bare(prepared, posted):
    """Events a second that somebody reads who does nothing with them."""
    body = json.dumps({"accepted": 1, "duplicate": 0, "conflict": 0, "rejected": 0, "as_of": "AAAAAAAAAAAAAA",
                       "results": [{"event_id": "run1-1", "status": "accepted"}]}).encode()
    headers = {"X-Request-Id": "0" * 24, "Content-Type": "application/json"}
    with servers.answer(200, headers, body) as url:
        return posted.post(url, prepared.keys["shop"])


def parse(run):
    """Events a second that jansson reads: those of a run, as they are stored with what else they say."""
    file = host.WORK / "events.ndjson"
    with contextlib.closing(sqlite3.connect(run[1].database)) as db, file.open("w") as out:
        for row in db.execute("SELECT event_id, type, provider, course_id, body FROM fact ORDER BY seq DESC LIMIT ?",
                              (KEPT_MAX,)):
            out.write(json.dumps(dict(zip(("event_id", "type", "provider", "course_id"), row)) | json.loads(row[4]) |
                                 {"occurred_at": "2026-01-15T10:00:00Z", "learner": "learner-12345"},
                                 separators=(",", ":")) + "\n")
    return ceilings.parse(file)


def fastify(prepared, posted, mode):
    target = prepared.copy("peer")
    with servers.fastify(target.database, target.keys["shop"], mode) as url:
        rate = posted.post(url, target.keys["shop"])
    if target.one("SELECT count(*) FROM fact") == 0:
        raise RuntimeError("the peer has written nothing")
    return rate


class Rows:
    """One kind of load against what it is compared with."""

    def __init__(self, table, plan, prepared):
        self.table, self.plan, self.prepared = table, plan, prepared
        self.have_peers = servers.peers_installed()

    def measure(self, name, what, posted, rows):
        """rows: (other, label, target); what cannot be measured is skipped, and said to be."""
        others = {"raw": lambda run: raw(self.prepared, run, posted.pinned),
                  "bare": lambda _: bare(self.prepared, posted), "parse": parse}
        others |= {mode: lambda _, mode=mode: fastify(self.prepared, posted, mode) for mode in ("each", "group")}
        skipped = {}
        for other, _, target in rows:
            if other in ("each", "group") and not self.have_peers:
                skipped[other] = "its Node packages are not installed"
            elif self.plan.quick and target is None:
                skipped[other] = "--quick"
        chosen = {other: others[other] for other, _, _ in rows if other not in skipped}
        found = pairs.alternate(self.plan, lambda: accord(self.prepared, posted), chosen) if chosen else {}
        for other, label, target in rows:
            row = f"{name}_{other}", f"{what}: events/s ÷ {label}"
            if other in skipped:
                self.table.skip(*row, skipped[other], target)
                continue
            rates = sorted(subject for subject, _ in found[other].pairs)
            self.table.add(*row, found[other].ratios(), target, detail={"pairs": found[other].pairs},
                           note=f"{rates[len(rates) // 2]:.0f} events/s")


def measure(table, plan):
    rows = Rows(table, plan, books.make("events"))
    rows.measure("event", "one event per POST, durable", Load(plan, SINGLE), [
        ("raw", "raw SQLite loop", (">=", 0.6)), ("bare", "bare libmicrohttpd reading the body", None),
        ("each", "Fastify, one transaction per request", (">=", 3)), ("group", "Fastify with group commit", None)])
    rows.measure("event_unpinned", "the same, nothing pinned", Load(plan, SINGLE, pinned=False),
                 [("raw", "raw SQLite loop", None)])
    rows.measure("batch", "NDJSON batches of 1,000 events, durable", Load(plan, BATCH), [
        ("raw", "raw SQLite loop", (">=", 0.6)), ("each", "Fastify, one transaction per request", (">=", 1.2)),
        ("group", "Fastify with group commit", None), ("parse", "jansson parsing the same events", None)])
    rows.measure("orders", "NDJSON batches of 1,000 orders, settled, durable", Load(plan, BATCH, "order"),
                 [("raw", "raw SQLite loop", None)])
