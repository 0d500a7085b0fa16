"""Books to measure on, made through the API once and copied for each run."""

import contextlib
import json
import shutil
import sqlite3

import host
from service import Service
from settle_cost import orders

COURSES = 1000
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

    def remember(self):
        """Lets another run of the benchmark find them."""
        (self.folder / "keys.json").write_text(json.dumps(self.keys))


def service(books, pinned=True):
    """`accord serve` on books, on the server's core with one worker."""
    return Service(host.ACCORD, books.folder, books.keys, host.serving() if pinned else (),
                   PINNED if pinned else {})


def csv(count):
    return ("course_id,title\n" + "".join(f"c{i},Course {i}\n" for i in range(count))).encode()


def prepare(running):
    """A provider with courses, a channel, and an agreement of two terms."""
    running.partner("school", "provider", "EUR")
    running.partner("shop", "channel", "EUR")
    running.catalog("school", csv(COURSES))
    running.agree({
        "id": "bench", "name": "Bench", "parties": ["school", "shop"], "currency": "EUR",
        "scope": {"providers": ["school"], "channels": ["shop"]}, "effective": {"from": "2020-01-01T00:00:00Z"},
        "terms": [{"kind": "share", "payee": "school", "share_ppm": 500000},
                  {"kind": "residual", "payee": "shop"}]})


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
