#!/usr/bin/env python3
"""Prints "PASSED FAILED" of a run of meson's tests: `count-tests.py testlog.json`.

A program that uses Check counts with each of its cases, another one as one test.
"""

import json
import re
import sys

SUMMARY = re.compile(r"Checks: (\d+), Failures: (\d+), Errors: (\d+)")


def count(test):
    checks = failures = 0
    for found in SUMMARY.findall(test.get("stdout", "")):
        checks += int(found[0])
        failures += int(found[1]) + int(found[2])
    if test["result"] in ("OK", "EXPECTEDFAIL"):
        return (checks - failures, failures) if checks else (1, 0)
    if test["result"] == "SKIP":
        return 0, 0
    # Killed, timed out, a report of a sanitizer after all cases had passed: at least one failure.
    return checks - failures, max(failures, 1)


def main():
    passed = failed = 0
    try:
        with open(sys.argv[1], encoding="utf-8") as log:
            for line in log:
                more = count(json.loads(line))
                passed += more[0]
                failed += more[1]
    except FileNotFoundError:
        failed = 1
    print(passed, failed)


main()
