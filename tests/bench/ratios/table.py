"""The rows: what each is called, what it should be, and what it came to."""

import json
import statistics
import sys


class Table:
    def __init__(self):
        self.rows = []

    def _keep(self, row):
        self.rows.append(row)
        print("   " + line_of(row), file=sys.stderr, flush=True)

    def add(self, name, what, values, target=None, unit="", note="", detail=None):
        """A row of measured values: their median counts. target: (">=", x), ("<=", x) or None."""
        middle = statistics.median(values)
        met = None
        if target is not None:
            met = middle >= target[1] if target[0] == ">=" else middle <= target[1]
        self._keep({"id": name, "what": what, "ratio": round(middle, 4), "min": round(min(values), 4),
                    "max": round(max(values), 4), "unit": unit,
                    "target": None if target is None else f"{target[0]} {target[1]}", "met": met, "note": note,
                    "detail": detail or {}})

    def skip(self, name, what, why, target=None):
        self._keep({"id": name, "what": what, "ratio": None, "min": None, "max": None, "unit": "",
                    "target": None if target is None else f"{target[0]} {target[1]}", "met": None,
                    "note": "skipped: " + why, "detail": {}})

    def print(self, machine):
        width = max(len(row["what"]) for row in self.rows)
        print(f"{'':{width}}    median (min, max)          target   met")
        for row in self.rows:
            print(line_of(row, width))
        versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items() if version)
        print(f"{machine['cores']} cores ({machine['processor']}), Linux {machine['kernel']}, "
              f"{machine['compiler']}; {versions}; accord {machine['commit']}")

    def write(self, path, machine):
        path.write_text(json.dumps({"machine": machine, "rows": self.rows}, indent=1) + "\n")


def number(value):
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def line_of(row, width=0):
    if row["ratio"] is None:
        measured = row["note"]
    else:
        unit = f" {row['unit']}" if row["unit"] else ""
        measured = f"{number(row['ratio'])} ({number(row['min'])}, {number(row['max'])}){unit}"
    met = {True: "yes", False: "NO", None: ""}[row["met"]]
    text = f"{row['what']:{width}}    {measured:24}   {row['target'] or '-':7}  {met}"
    return text + (f"  {row['note']}" if row["note"] and row["ratio"] is not None else "")
