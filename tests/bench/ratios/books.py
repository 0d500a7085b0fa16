"""Books to measure on, made through the API once and copied for each run."""

import contextlib
import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
import time

import host
from service import Service
from settle_cost import orders

COURSES = 1000
FILLED_COURSES, FILLED_MONTHS = 100, 12
PINNED = {"ACCORD_WORKERS": "1"}


class Books:
    """A database at rest, with the keys of its partners."""

    def __init__(self, folder, keys):
        self.folder, self.keys = folder, keys

    @property
    def database(self):
        return self.folder / "accord.db"

    def copy(self, name):
        """Other books of the same content, elsewhere; what was there is removed."""
        folder = host.WORK / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shutil.copy(self.database, folder / "accord.db")
        return Books(folder, self.keys)

    def one(self, sql):
        with contextlib.closing(sqlite3.connect(self.database)) as db:
            return db.execute(sql).fetchone()[0]


def service(books, pinned=True):
    """`accord serve` on books, on the server's core with one worker."""
    return Service(host.ACCORD, books.folder, books.keys, host.serving() if pinned else host.anywhere(),
                   PINNED if pinned else {})


def csv(count):
    return ("course_id,title\n" + "".join(f"c{i},Course {i}\n" for i in range(count))).encode()


def agree(running, provider):
    """An agreement of two terms: half of what is paid, and the rest."""
    running.agree({
        "id": f"with-{provider}", "name": "Bench", "parties": [provider, "shop"], "currency": "EUR",
        "scope": {"providers": [provider], "channels": ["shop"]}, "effective": {"from": "2020-01-01T00:00:00Z"},
        "terms": [{"kind": "share", "payee": provider, "share_ppm": 500000}, {"kind": "residual", "payee": "shop"}]})


def prepare(running):
    """A provider with courses, a channel, and their agreement."""
    running.partner("school", "provider", "EUR")
    running.partner("shop", "channel", "EUR")
    running.catalog("school", csv(COURSES))
    agree(running, "school")


def at_rest(folder):
    """The log of a database that nobody has open goes into its file."""
    for file in folder.glob("*.db"):
        with contextlib.closing(sqlite3.connect(file)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def make(name, fill=None):
    """New books below build/; fill(running) puts more into them."""
    folder = host.WORK / name
    with Service(host.ACCORD, folder) as running:
        prepare(running)
        if fill is not None:
            fill(running)
        keys = running.keys
    at_rest(folder)
    return Books(folder, keys)


def month_of_orders(running, count, month="2026-01"):
    counts = {name: 0 for name in ("accepted", "duplicate", "conflict", "rejected")}
    running.post("shop", orders(month, 0, count), counts)
    if counts["accepted"] != count:
        raise RuntimeError(f"posting {count} orders came to {counts}")


# ---- books that are kept: filled offline, once for each schema ----

def schema():
    """What filled books depend on."""
    parts = [*sorted((host.ROOT / "src" / "db" / "migrations").glob("*.sql")), host.BENCH / "ceilings" / "fill.c"]
    return hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()


def note_of(count):
    """What an earlier run noted of its books; None where there are none, or others."""
    try:
        note = json.loads((host.WORK / f"orders-{count}" / "kept.json").read_text())
    except OSError:
        return None
    return note if note["schema"] == schema() else None


def keep(count, **more):
    """Adds to the note."""
    note = (note_of(count) or {"schema": schema()}) | more
    (host.WORK / f"orders-{count}" / "kept.json").write_text(json.dumps(note))


def kept(count):
    """Books of so many orders from an earlier run, or None."""
    note = note_of(count)
    return None if note is None else Books(host.WORK / f"orders-{count}", note["keys"])


def verify(found):
    """Seconds that `accord verify` takes; it must find nothing."""
    running = Service(host.ACCORD, found.folder, found.keys, host.serving())
    if not (found.folder / "accord-test.db").exists():
        running.run("migrate")
    began = time.monotonic()
    said = running.run("verify")
    if " 0 differences" not in said:
        raise RuntimeError(said)
    return time.monotonic() - began


def filled(count):
    """Books of so many orders, those of an earlier run if it left them."""
    found = kept(count)
    if found is not None:
        return found
    print(f"== filling books with {count:,} orders, once", file=sys.stderr, flush=True)
    found = make(f"orders-{count}")
    subprocess.run(host.serving(host.CEILINGS / "bench-fill", f"sqlite:{found.database}", "shop", "school",
                                FILLED_COURSES, FILLED_MONTHS, 0, count), check=True)
    verify(found)
    at_rest(found.folder)
    keep(count, keys=found.keys)
    return found
