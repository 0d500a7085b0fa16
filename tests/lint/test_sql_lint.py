#!/usr/bin/env python3
"""The SQL lint names every statement of wrong_sql.c and none of right_sql.c."""

import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
LINT = HERE.parent.parent / "tools" / "sql-lint.py"


def run(name, *options):
    answer = subprocess.run(
        [sys.executable, str(LINT), *options, str(HERE / name)], stdout=subprocess.PIPE, text=True, check=False
    )
    return answer.returncode, answer.stdout


def main():
    options = sys.argv[1:]
    # These are valid on SQLite and break no rule that a text shows: only PostgreSQL tells.
    only_postgres = {"sql_narrow", "sql_boolean", "sql_ambiguous", "sql_group"}
    code, output = run("wrong_sql.c", *options)
    expected = re.findall(r"^DB_SQL\((\w+),", (HERE / "wrong_sql.c").read_text(encoding="utf-8"), re.M)
    if "--postgres=no" in options or "and PostgreSQL" not in output:
        expected = [name for name in expected if name not in only_postgres]
    lines = (HERE / "wrong_sql.c").read_text(encoding="utf-8").splitlines()
    missed = []
    for name in expected:
        number = 1 + next(i for i, line in enumerate(lines) if line.startswith(f"DB_SQL({name},"))
        if not re.search(rf"wrong_sql\.c:{number}:", output):
            missed.append(name)
    if code != 1 or missed:
        sys.exit(f"exit {code}; not named: {missed}\n{output}")
    code, output = run("right_sql.c", *options)
    if code != 0:
        sys.exit(f"exit {code}\n{output}")
    print(f"{len(expected)} wrong statements named; {output.strip()}")


main()
