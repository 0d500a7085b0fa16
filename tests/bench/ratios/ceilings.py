"""What the machine allows: the programs of tests/bench/ceilings/ that end by themselves."""

import json
import subprocess

import host


def run(name, *arguments, pinned=True):
    command = [host.CEILINGS / f"bench-{name}", *arguments]
    done = subprocess.run(host.serving(*command) if pinned else host.anywhere(*command), stdout=subprocess.PIPE,
                          text=True, check=True)
    return json.loads(done.stdout)


def insert(feeds, source, target, table, per_commit, *numbers, pinned=True):
    """Rows of a table a second, by a loop that inserts what `feeds` takes from one database into another."""
    before = target.one(f"SELECT count(*) FROM {table}")
    report = run("insert", host.BENCH / "ceilings" / feeds, source.database, target.database, *numbers,
                 pinned=pinned)
    rows = target.one(f"SELECT count(*) FROM {table}") - before
    if report["commits"] != -(-rows // per_commit):
        raise RuntimeError(f"{feeds}: {rows} rows in {report['commits']} commits")
    return rows / report["seconds"]


def parse(file):
    """Lines a second that jansson reads."""
    report = run("parse", file)
    return report["lines"] / report["seconds"]
