"""`./dev bench [--quick | --fill] [ROW...]`: the ratios of Accord to what the machine allows.

--quick: three minutes; rows that it leaves out, or measures on less, say so. --fill: makes the books of 10^7
orders that the rows of `scale` are for, which takes twenty minutes, and keeps them below build/.
ROW: the files rows_ROW.py to run (default: all).
"""

import importlib
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import books  # noqa: E402
import host  # noqa: E402
from table import Table  # noqa: E402

ROWS = ["polls", "events", "catalog", "books", "latency", "scale"]


class Plan:
    """How long to measure."""

    def __init__(self, quick, chosen):
        self.quick = quick
        self.alone = chosen == ["scale"]
        self.began = time.monotonic()
        self.rounds = 3 if quick else 5
        self.seconds = 1 if quick else 2

    def elapsed(self):
        return time.monotonic() - self.began

    def late(self):
        """No time for what need not be: 3 minutes are all there is, or 15."""
        return self.elapsed() > (60 if self.quick else 400)


def main():
    arguments = sys.argv[1:]
    chosen = [name for name in arguments if not name.startswith("-")] or ROWS
    plan = Plan("--quick" in arguments, chosen)
    host.stay_with_load()
    if "--fill" in arguments:
        books.filled(10**7)
        return
    table = Table()
    machine = host.describe()
    for name in chosen:
        print(f"== {name}, {plan.elapsed():.0f} s", file=sys.stderr, flush=True)
        importlib.import_module("rows_" + name).measure(table, plan)
        table.write(host.ROOT / "build" / "bench.json", machine)
    table.print(machine)
    print(f"{plan.elapsed():.0f} s; build/bench.json", flush=True)


main()
