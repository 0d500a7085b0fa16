#!/usr/bin/env python3
"""The rules of accord/pool.h once more, in exact rationals: `pool_reference.py OUT`.

Written from the header's text and apart from the C code. Draws pools from a fixed seed, divides
them, and writes input and expectation as one stream of numbers that test_pool_reference.c replays.
Any disagreement is a bug in one of the two.
"""

import random
import sys
from fractions import Fraction

CASES = 2000
MICRO = 10**6
EXACT = 40
PRO_RATA, USER_CENTRIC, SHAPLEY, WEIGHTED, HYBRID = range(5)
RETAIN, SPREAD, POOL = range(3)


def largest_remainder(total, weights):
    if total < 0:
        return [-part for part in largest_remainder(-total, weights)]
    exact = [Fraction(total * weight) / sum(weights) for weight in weights]
    return cut(exact, total)


def cut(exact, total):
    """Each cut towards zero; the rest, with its sign, to the largest fractions of that sign."""
    parts = [int(value) for value in exact]
    left = total - sum(parts)
    sign = -1 if left < 0 else 1
    fraction = [max(0, sign * (value - part)) for value, part in zip(exact, parts)]
    order = sorted(range(len(exact)), key=lambda i: (-fraction[i], i))
    for i in order[: abs(left)]:
        parts[i] += sign
    return parts


def split_fee(case, fee, units):
    """What one member's fee gives each payee: exact where the header says exact."""
    n = case["payees"]
    used = [i for i in range(n) if units[i] > 0]
    if case["method"] == SHAPLEY and len(used) <= EXACT:
        return [Fraction(fee, len(used)) if i in used else Fraction(0) for i in range(n)]
    weights = units
    if case["method"] == SHAPLEY:
        weights = [int(i in used) for i in range(n)]
    if case["method"] == WEIGHTED:
        weights = [case["weights"][i] if i in used else 0 for i in range(n)]
    return [Fraction(part, MICRO) for part in largest_remainder(fee * MICRO, weights)]


def divide(case):
    n = case["payees"]
    total_units = [0] * n
    shares = [Fraction(0)] * n
    active, idle = 0, 0
    for fee, raw in case["members"]:
        units = [u if u >= case["min"] else 0 for u in raw]
        units = [min(u, case["cap"]) if case["cap"] else u for u in units]
        counts = [case["weights"][i] if case["method"] == WEIGHTED else 1 for i in range(n)]
        if not any(u and w for u, w in zip(units, counts)):
            idle += fee
        else:
            active += fee
            shares = [a + b for a, b in zip(shares, split_fee(case, fee, units))]
        total_units = [a + b for a, b in zip(total_units, units)]
    whole = sum(total_units)
    by_units = [Fraction(u, whole) if whole else Fraction(0) for u in total_units]
    paid, unclaimed = active, idle

    if case["method"] == PRO_RATA:
        if whole and case["idle"] != RETAIN:
            paid, unclaimed = active + idle, 0
        return cut([paid * part for part in by_units], paid), unclaimed
    if case["method"] == HYBRID:
        part = Fraction(case["lambda"], MICRO)
        shares = [part * active * u + (1 - part) * s for u, s in zip(by_units, shares)]
        if case["idle"] == POOL and whole:
            shares = [s + idle * u for u, s in zip(by_units, shares)]
            paid, unclaimed = active + idle, 0
    if case["idle"] == SPREAD and active:
        sign = 1 if active > 0 else -1
        same = [max(Fraction(0), sign * s) for s in shares]
        shares = [s + idle * w / sum(same) for s, w in zip(shares, same)]
        paid, unclaimed = active + idle, 0
    return cut(shares, paid), unclaimed


def draw(rng):
    method = rng.randrange(5)
    n = rng.choice((1, 2, 3, 4, 6, 9, 43))
    top = rng.choice((3, 30, 3000, 10**6, 9 * 10**12))
    most = rng.choice((2, 60, 86400, 10**14))
    refunds = rng.random() < 0.3
    case = {
        "method": method,
        "idle": rng.randrange(3 if method in (PRO_RATA, HYBRID) else 2),
        "payees": n,
        "lambda": rng.choice((0, 1, 250000, 500000, 999999, 1000000)),
        "min": rng.choice((0, 0, 0, 10)),
        "cap": rng.choice((0, 0, 0, 50)),
        "weights": [rng.choice((0, 1, 2, 1000000)) for _ in range(n)],
        "members": [],
    }
    case["weights"][rng.randrange(n)] = 3
    for _ in range(rng.randrange(9)):
        fee = rng.randrange(top)
        if refunds and rng.random() < 0.4:
            fee = -fee
        density = rng.choice((0, 0.2, 0.5, 1))
        case["members"].append(
            (fee, [1 + rng.randrange(most) if rng.random() < density else 0 for _ in range(n)])
        )
    return case


def main():
    rng = random.Random(20)
    numbers = []
    for _ in range(CASES):
        case = draw(rng)
        parts, unclaimed = divide(case)
        assert sum(parts) + unclaimed == sum(fee for fee, _ in case["members"])
        numbers += [case[key] for key in ("method", "idle", "payees", "lambda", "min", "cap")]
        numbers += case["weights"] + [len(case["members"])]
        for fee, units in case["members"]:
            numbers += [fee] + units
        numbers += parts + [unclaimed]
    with open(sys.argv[1], "w", encoding="ascii") as out:
        out.write("#include <stdint.h>\n\n")
        out.write(f"enum {{ POOL_CASES = {CASES} }};\n")
        out.write("static const int64_t pool_cases[] = {\n")
        for i in range(0, len(numbers), 12):
            out.write("    " + " ".join(f"{value}," for value in numbers[i : i + 12]) + "\n")
        out.write("};\n")


main()
