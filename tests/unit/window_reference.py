#!/usr/bin/env python3
"""The rules of accord/window.h once more, in exact rationals: `window_reference.py OUT`.

Written from the header's text and apart from the C code, and the other way round: nothing is
carried from part to part but the log of what was given; whatever a window has come to is summed
anew from it. Draws agreements, versions and sums from a fixed seed and writes input and
expectation as one stream of numbers that test_window_reference.c replays.
"""

import random
import sys
from fractions import Fraction

CASES = 300
WHOLE = 10**6
PERIOD, YEAR, LIFE = range(3)
NET, LINES, UNITS, LEARNERS = range(4)
CPA, TIERED, GREATER_OF, GUARANTEE, ADVANCE, FLOOR, CAP, RESIDUAL = range(8)
KINDS = ["cpa", "tiered", "greater_of", "guarantee", "advance", "floor", "cap", "residual",
         "recoupment", "true_up"]


def half_even(value):
    return round(Fraction(value))


class Part:
    """One version's part of one period, and what it gave."""

    def __init__(self, period, year, days, of_days, version, sums):
        self.period, self.year, self.days, self.of_days = period, year, days, of_days
        self.version, self.sums = version, sums
        self.first = False
        self.ends = [False, False, False]
        self.lines = []  # (term, kind, party, amount)
        self.earned = {}
        self.recouped = {}  # of advances: party -> (earned and carried, recouped)

    def give(self, term, kind, party, amount):
        if amount != 0:
            self.lines.append((term, kind, party, amount))


def window_of(parts, at, window):
    """The parts of the window that part `at` lies in, up to it."""
    here = parts[at]
    return [p for p in parts[: at + 1]
            if window == LIFE or (window == YEAR and p.year == here.year) or p.period == here.period]


def total(parts, window, metric):
    """What the parts of a window add up to. A learner counts per window."""
    if metric == LEARNERS:
        return sum(p.sums["learners"][window] for p in parts)
    return sum(p.sums[metric] for p in parts)


def rate_at(tiers, reached):
    rates = [rate for start, rate in tiers if start <= reached]
    return rates[-1] if rates else tiers[0][1]


def marginal(tiers, reached):
    if reached < 0:
        return reached * tiers[0][1]
    ends = [start for start, _ in tiers[1:]] + [reached]
    return sum(rate * max(0, min(reached, end) - start) for (start, rate), end in zip(tiers, ends))


def value(term, parts, ends):
    """f of a term that is cut from open, exact."""
    reached = total(parts, term["window"], term["metric"])
    net = total(parts, term["window"], NET)
    if term["kind"] == TIERED:
        if term["whole"] and term["of_net"] and term["metric"] != NET:
            return Fraction(rate_at(term["tiers"], reached) * net, WHOLE)
        if term["whole"]:
            return Fraction(rate_at(term["tiers"], reached) * reached, WHOLE)
        return Fraction(marginal(term["tiers"], reached), WHOLE)
    amount = reached * term["amount"]
    if term["kind"] == GREATER_OF:
        return max(Fraction(amount), Fraction(net * term["share"], WHOLE))
    if term["cap"] >= 0:
        amount = min(amount, term["cap"])
    if term["floor"] >= 0 and ends:
        amount = max(amount, term["floor"])
    return Fraction(amount)


def in_window(term):
    return term["kind"] in (TIERED, GREATER_OF) or (
        term["kind"] == CPA and
        (term["floor"] >= 0 or term["cap"] >= 0 or term["metric"] == LEARNERS))


def logged(parts, party, kind):
    """(term, amount) of the lines of a kind that a party has as payee, not as funder."""
    for p in parts:
        for i, of, to, amount in p.lines:
            term = p.version["terms"][i]
            if of == kind and to == party and p.version["parties"][term["payee"]] == party:
                yield term, amount


def given(parts, party, kind, windows):
    """What terms of these windows gave a party; recoupments: those of guarantees."""
    return sum(amount for term, amount in logged(parts, party, kind)
               if term["window"] in windows and term["kind"] != ADVANCE)


def is_due(parts, at, window):
    """At the window's end, when it was in force at all."""
    return parts[at].ends[window] and sum(p.days for p in window_of(parts, at, window)) > 0


def of_part(term, parts, at):
    amount = term["amount"]
    if term["window"] != PERIOD:
        return amount
    here = parts[at]
    days = min(sum(p.days for p in window_of(parts, at, PERIOD)), here.of_days)
    return half_even(Fraction(amount * days, here.of_days))


def shorter(window):
    return range(window + 1)


def advance_state(parts, party):
    """(unrecouped, carry, paid) of a payee."""
    dues = [p.recouped[party] for p in parts if party in p.recouped]
    advances = sum(amount for _, amount in logged(parts, party, "advance"))
    paid = (advances + sum(max(due, 0) - back for due, back in dues)
            + sum(amount for _, amount in logged(parts, party, "true_up"))
            + given(parts, party, "guarantee", range(3))
            + given(parts, party, "recoupment", range(3)))
    return (advances - sum(back for _, back in dues), min(dues[-1][0], 0) if dues else 0, paid)


def settle(parts, at):
    here = parts[at]
    terms, parties = here.version["terms"], here.version["parties"]
    residual = next(i for i, t in enumerate(terms) if t["kind"] == RESIDUAL)
    here.earned = dict(zip(parties, here.sums["shares"]))
    open_left = here.sums["open"]

    for i, term in enumerate(terms):
        if not in_window(term):
            continue
        now = window_of(parts, at, term["window"])
        amount = half_even(value(term, now, is_due(parts, at, term["window"]))) - half_even(
            value(term, now[:-1], False))
        here.give(i, KINDS[term["kind"]], parties[term["payee"]], amount)
        here.earned[parties[term["payee"]]] += amount
        open_left -= amount
    here.give(residual, "residual", parties[terms[residual]["payee"]], open_left)
    here.earned[parties[terms[residual]["payee"]]] += open_left

    def has(party, window, kinds):
        now = window_of(parts, at, window)
        earned = sum(p.earned.get(party, 0) for p in now)
        return earned + sum(given(now, party, kind, shorter(window)) for kind in kinds)

    def pair(i, kind, party, other, amount):
        here.give(i, kind, party, amount)
        here.give(i, kind, other, -amount)

    for window in (PERIOD, YEAR, LIFE):
        for i, term in enumerate(terms):
            if (term["kind"] != GUARANTEE or term["window"] != window
                    or not is_due(parts, at, window)):
                continue
            party, funder = parties[term["payee"]], parties[term["funder"]]
            lacks = of_part(term, parts, at) - has(party, window, ("guarantee", "recoupment"))
            if lacks > 0:
                pair(i, "guarantee", party, funder, lacks)
            elif term["recoup"]:
                life = parts[: at + 1]
                recoupable = sum(amount for t, amount in logged(life, party, "guarantee")
                                 if t["recoup"])
                taken = given(life, party, "recoupment", range(3))
                pair(i, "recoupment", party, funder, -min(-lacks, recoupable + taken))

    for i, term in enumerate(terms):
        if term["kind"] != ADVANCE:
            continue
        party, funder = parties[term["payee"]], parties[term["funder"]]
        if here.first:
            pair(i, "advance", party, funder, term["amount"])
        if here.ends[PERIOD]:
            unrecouped, carry, _ = advance_state(parts[: at + 1], party)
            due = sum(p.earned.get(party, 0) for p in window_of(parts, at, PERIOD)) + carry
            back = min(max(due, 0), unrecouped)
            pair(i, "recoupment", party, funder, -back)
            here.recouped[party] = (due, back)
        if here.ends[LIFE]:
            paid = advance_state(parts[: at + 1], party)[2]
            pair(i, "true_up", party, funder, max(0, term["minimum"] - paid))

    for window in (PERIOD, YEAR, LIFE):
        for i, term in enumerate(terms):
            if (term["kind"] == FLOOR and term["window"] == window
                    and is_due(parts, at, window)):
                party = parties[term["payee"]]
                lacks = of_part(term, parts, at) - has(party, window, ("guarantee", "floor"))
                pair(i, "floor", party, parties[term["funder"]], max(0, lacks))
    for window in (PERIOD, YEAR, LIFE):
        for i, term in enumerate(terms):
            if term["kind"] != CAP or term["window"] != window:
                continue
            party, other = parties[term["payee"]], parties[terms[residual]["payee"]]
            if party == other:
                continue
            now = window_of(parts, at, window)
            own = given(now, party, "cap", [window])
            uncut = has(party, window, ("guarantee", "floor"))
            by_shorter = given(now, party, "cap", range(window))
            want = -max(0, uncut + by_shorter - term["amount"])
            pair(i, "cap", party, other, want - own)


# ---- drawing ----


def draw_tiers(rng, metric, most):
    tiers, start = [], 0
    for _ in range(rng.randint(1, 4)):
        tiers.append((start, rng.randint(0, most)))
        start += rng.randint(1, 3000 if metric == NET else 12)
    return tiers


def blank(kind, payee):
    return dict(kind=kind, payee=payee, funder=0, window=PERIOD, metric=NET, whole=0, of_net=0,
                share=0, amount=0, floor=-1, cap=-1, recoup=0, minimum=0, tiers=[])


def draw_version(rng):
    parties = rng.sample(range(5), rng.randint(2, 4))
    terms, budget = [], WHOLE
    for _ in range(rng.choice([0, 1, 1, 2, 3])):
        term = blank(rng.choice([CPA, TIERED, GREATER_OF]), rng.randrange(len(parties)))
        term["window"] = rng.randrange(3)
        term["metric"] = rng.randrange(4) if term["kind"] == TIERED else rng.randint(1, 3)
        term["amount"] = rng.randint(1, 200)
        if term["kind"] == CPA:
            term["floor"] = rng.choice([-1, rng.randint(0, 900)])
            term["cap"] = rng.choice([-1, max(1, term["floor"]) + rng.randint(0, 1500)])
        if term["kind"] == GREATER_OF:
            term["share"] = rng.randint(1, budget // 3)
            budget -= term["share"]
        if term["kind"] == TIERED:
            term["whole"], term["of_net"] = rng.randrange(2), rng.randrange(2)
            shares = term["metric"] == NET or (term["whole"] and term["of_net"])
            most = budget // 3 if shares else 90 * WHOLE
            # Round rates make ties frequent.
            term["tiers"] = draw_tiers(rng, term["metric"], most)
            if rng.random() < 0.5:
                term["tiers"] = [(s, r - r % 50000) for s, r in term["tiers"]]
            term["tiers"][-1] = (term["tiers"][-1][0], max(1, term["tiers"][-1][1]))
            if shares:
                budget -= max(rate for _, rate in term["tiers"])
        terms.append(term)
    residual = rng.randrange(len(parties))  # who cannot be capped
    for party in range(len(parties)):
        if party > 1 or rng.random() < 0.3:
            continue
        for window in (PERIOD, YEAR, LIFE):
            most = 1
            for kind in (GUARANTEE, FLOOR, CAP):
                if rng.random() < 0.65 or len(terms) > 12 or (kind == CAP and party == residual):
                    continue
                term = blank(kind, party)
                term["window"] = window
                term["funder"] = rng.choice([p for p in range(len(parties)) if p != party])
                scale = (900, 4000, 9000)[window]
                if kind == CAP:
                    term["amount"] = most + rng.randint(0, scale)
                else:
                    term["amount"] = rng.randint(1, scale)
                    most = max(most, term["amount"])
                term["recoup"] = int(kind == GUARANTEE and rng.random() < 0.6)
                terms.append(term)
        if rng.random() < 0.35 and len(terms) < 14:
            term = blank(ADVANCE, party)
            term["funder"] = rng.choice([p for p in range(len(parties)) if p != party])
            term["amount"] = rng.randint(1, 5000)
            term["minimum"] = rng.choice([0, rng.randint(0, 9000)])
            terms.append(term)
    terms.insert(rng.randint(0, len(terms)), blank(RESIDUAL, residual))
    return dict(parties=parties, terms=terms)


def draw_sums(rng, parties):
    def money():
        return rng.choice([0, rng.randint(0, 99), rng.randint(0, 2500), rng.randint(-900, 0)])

    return {NET: money(), LINES: rng.randint(-2, 15), UNITS: rng.randint(-3, 30),
            "open": money(), "learners": [rng.randint(0, 9) for _ in range(3)],
            "shares": [money() for _ in range(parties)]}


def draw(rng):
    parts = []
    version = draw_version(rng)
    first = rng.randint(0, 11)
    last = first + rng.randint(0, 26)
    for month in range(first, last + 1):
        of_days = rng.choice([28, 30, 31])
        left = rng.randint(0, of_days) if month in (first, last) else of_days
        while True:
            days = rng.randint(0, left) if rng.random() < 0.15 else left
            parts.append(Part(month, 2020 + month // 12, days, of_days, version,
                              draw_sums(rng, len(version["parties"]))))
            left -= days
            if left == 0:
                break
            version = draw_version(rng)
    if rng.random() < 0.3:  # something comes in after the end
        month = last + rng.randint(1, 14)
        parts.append(Part(month, 2020 + month // 12, 0, 30, version,
                          draw_sums(rng, len(version["parties"]))))
    for at, part in enumerate(parts):
        behind = parts[at + 1] if at + 1 < len(parts) else None
        part.first = at == 0
        part.ends = [behind is None or behind.period != part.period,
                     behind is None or behind.year != part.year, behind is None]
    return parts


def version_numbers(version):
    yield len(version["parties"])
    yield from version["parties"]
    yield len(version["terms"])
    for t in version["terms"]:
        yield from (t["kind"], t["payee"], t["funder"], t["window"], t["metric"], t["whole"],
                    t["of_net"], t["share"], t["amount"], t["floor"], t["cap"], t["recoup"],
                    t["minimum"], len(t["tiers"]))
        for tier in t["tiers"]:
            yield from tier


def stream(rng):
    yield CASES
    for _ in range(CASES):
        parts = draw(rng)
        version = None
        yield len(parts)
        for at, part in enumerate(parts):
            settle(parts, at)
            yield int(part.version is not version)
            if part.version is not version:
                version = part.version
                yield from version_numbers(version)
            yield from (part.period, part.year, part.days, part.of_days, int(part.first))
            yield from map(int, part.ends)
            yield from (part.sums[NET], part.sums["open"], part.sums[LINES], part.sums[UNITS])
            yield from part.sums["learners"]
            yield from part.sums["shares"]
            yield len(part.lines)
            for term, kind, party, amount in part.lines:
                yield from (term, KINDS.index(kind), party, amount)


def main():
    with open(sys.argv[1], "w", encoding="ascii") as out:
        out.write("/* Made by window_reference.py. */\n#include <stdint.h>\n")
        out.write("static const int64_t window_cases[] = {\n")
        for number in stream(random.Random("accord window 1")):
            out.write(f"INT64_C({number}),\n")
        out.write("};\n")


main()
