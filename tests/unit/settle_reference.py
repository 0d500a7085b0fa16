#!/usr/bin/env python3
"""The rules of accord/settle.h once more, in exact rationals: `settle_reference.py OUT`.

Written from the header's text and apart from the C code. Draws orders, refunds and agreements from
a fixed seed, settles them, and writes input and expectation as one stream of numbers that
test_settle_reference.c replays. Any disagreement is a bug in one of the two.
"""

import random
import sys
from fractions import Fraction

CASES = 2500
WHOLE = 10**6
DAY = 86400 * 10**6


def largest_remainder(total, weights):
    if total < 0:
        return [-part for part in largest_remainder(-total, weights)]
    whole = sum(weights)
    if whole == 0:
        assert total == 0
        return [0] * len(weights)
    exact = [Fraction(total * weight, whole) for weight in weights]
    parts = [int(value) for value in exact]
    order = sorted(range(len(weights)), key=lambda i: (-(exact[i] - parts[i]), i))
    for i in order[: total - sum(parts)]:
        parts[i] += 1
    return parts


def half_even(value):
    return round(Fraction(value))


class Refunded:
    def __init__(self):
        self.last = 0  # when the last of it was refunded
        self.amount = 0
        self.pro_rata = 0
        self.tax = 0
        self.fee = 0


def apply_refunds(lines, refunds):
    """Each refund: (time, partner, event, row, line or -1, amount, tax or -1, fee)."""
    state = [Refunded() for _ in lines]
    excess, cut = 0, 0
    for time, _, _, _, line, amount, tax, fee in sorted(refunds, key=lambda r: r[:4]):
        left = [l["paid"] - s.amount for l, s in zip(lines, state)]
        if line >= 0:
            left = [x if i == line else 0 for i, x in enumerate(left)]
        applied = min(amount, sum(left))
        excess += amount - applied
        cut += applied < amount
        if applied == 0:
            continue
        parts = largest_remainder(applied, left)
        taxes = largest_remainder(max(tax, 0), parts)
        fees = largest_remainder(fee, parts)
        for s, part, t, f in zip(state, parts, taxes, fees):
            if part > 0:
                s.last = time
            s.amount += part
            s.pro_rata += part if tax < 0 else 0
            s.tax += t
            s.fee += f
    return state, excess, cut


SHARE, AMOUNT, RESIDUAL, CPA, REFERRAL, TIERED = range(6)


def is_cpa_of_line(term):
    return (term["kind"] == CPA and term["floor"] < 0 and term["cap"] < 0
            and term["metric"] != LEARNERS)


LINES, UNITS, LEARNERS = 1, 2, 3


def fixed_as_sold(term, line):
    if term["kind"] == CPA and term["metric"] == UNITS:
        return term["amount"] * line["quantity"]
    return term["amount"]


def attribute(term, touches):
    """Each touch: (age, kind, promoter, self, suspended, event); of age 0 at the sale, at time 0."""
    counts = [t for t in touches if 0 <= t[0] <= term["window"] and not t[3] and not t[4]]
    if term["coupon"] and any(t[1] == 2 for t in counts):
        counts = [t for t in counts if t[1] == 2]
    if not counts:
        return None
    oldest_first = sorted(counts, key=lambda t: (-t[0], t[5]))
    return oldest_first[0 if term["first"] else -1]


def refer(term, whole, touches, promoters):
    """Amount and promoter of each level."""
    touch = attribute(term, touches)
    chain = []
    if touch is not None:
        chain.append((touch[2], False))
        parent = promoters[touch[2]][0]
        if parent >= 0:
            chain.append((parent, promoters[parent][1] or promoters[parent][2]
                          or parent == touch[2]))
    paid = [i < len(chain) and not chain[i][1] for i in range(len(term["levels"]))]
    rates = [rate if p else 0 for rate, p in zip(term["levels"], paid)]
    parts = largest_remainder(whole, rates + [WHOLE - sum(rates)])
    return [(part, chain[i][0]) if p else (0, -1) for i, (part, p) in enumerate(zip(parts, paid))]


def settle_line(line, state, agreement, touches, promoters):
    paid, remaining = line["paid"], line["paid"] - state.amount

    def of(amount, part):
        return amount if part == paid else half_even(Fraction(amount * part, paid))

    def tax_in(part):
        rate = agreement["tax"]["rate"]
        if rate >= 0:
            return half_even(Fraction(part * rate, WHOLE + rate))
        return of(max(line["tax"], 0), part)

    running = paid
    tax_sold = tax_in(paid)
    if agreement["tax"]["deduct"]:
        running -= tax_sold
    sold = {}
    for name in ("store", "pay", "admin"):
        fee = agreement[name]
        if fee["rate"] >= 0:
            base = (paid, paid - tax_sold, running)[fee["base"]]
            sold[name] = half_even(Fraction(max(base, 0) * fee["rate"], WHOLE))
            if name == "pay" and paid > 0:
                sold[name] += agreement["fixed"]
        else:
            sold[name] = max(line.get(name, 0), 0)
        if fee["deduct"]:
            running -= sold[name]

    tax = tax_in(paid - state.pro_rata)
    tax -= min(tax, state.tax)
    back = state.fee
    pay = sold["pay"] - min(sold["pay"], back)
    back -= min(sold["pay"], back)
    store = sold["store"] - min(sold["store"], back)
    tax = tax if agreement["tax"]["deduct"] else 0
    store = store if agreement["store"]["deduct"] else 0
    pay = pay if agreement["pay"]["deduct"] else 0
    admin = sold["admin"] if agreement["admin"]["deduct"] else 0

    shares = [0] * agreement["parties"]
    nobody = [(0, -1)] * 2
    held = dict(held=5, refunded=state.amount, tax=0, store=0, pay=0, admin=0, net=0, added=0,
                base=0, open=0, lines=0, units=0, referral=nobody, shares=shares)
    fixed = [t for t in agreement["terms"] if t["kind"] == AMOUNT or is_cpa_of_line(t)]
    amounts = sum(fixed_as_sold(t, line) for t in fixed)
    funded = [d if a else 0 for d, a in zip(line["discounts"], agreement["add_back"])]
    if amounts > 0 and amounts > running + sum(funded):
        return held

    full = paid > 0 and state.amount == paid
    days = agreement["qualify_days"]
    counts = not full or (days >= 0 and state.last > days * DAY)

    net = remaining - tax - store - pay - admin
    charges = [of(amount, remaining) for amount in funded]
    kept = 0
    if agreement["fee_borne_by"] >= 0:
        deducted = sum(sold[name] for name in sold if agreement[name]["deduct"])
        kept = max(0, store + pay + admin - of(deducted, remaining))
    rest = net + sum(charges) + kept
    for term in fixed:
        amount = of(term["amount"], remaining) if term["kind"] == AMOUNT else (
            fixed_as_sold(term, line) if counts else 0)
        shares[term["payee"]] += amount
        rest -= amount
    referral = nobody
    for term in agreement["terms"]:
        if term["kind"] == REFERRAL:
            whole = running + sum(funded) - amounts if agreement["referral_kept"] else rest
            referral = (refer(term, max(whole, 0), touches, promoters) + nobody)[:2]
            rest -= sum(amount for amount, _ in referral)
    split = [t for t in agreement["terms"] if t["kind"] in (SHARE, RESIDUAL)]
    named = sum(t["share"] for t in split if t["kind"] == SHARE)
    weights = [t["share"] if t["kind"] == SHARE else WHOLE - named for t in split]
    window = any(t["kind"] == TIERED or (t["kind"] == CPA and not is_cpa_of_line(t))
                 for t in agreement["terms"])
    left_open = 0
    for term, part in zip(split, largest_remainder(rest, weights)):
        if term["kind"] == RESIDUAL and window:
            left_open = part
        else:
            shares[term["payee"]] += part
    for party, amount in zip(agreement["funder_party"], charges):
        shares[party] -= amount
    if kept > 0:
        shares[agreement["fee_borne_by"]] -= kept
    assert sum(shares) + left_open + sum(amount for amount, _ in referral) == net
    return dict(held=0, refunded=state.amount, tax=tax, store=store, pay=pay, admin=admin, net=net,
                added=sum(charges), base=rest, open=left_open, lines=int(counts),
                units=line["quantity"] if counts else 0, referral=referral, shares=shares)


def draw(rng):
    top = rng.choice([3, 100, 20000, 10**7, 10**13])
    parties = rng.randint(2, 5)

    def amount(limit):
        return rng.randint(0, limit)

    def deduction():
        return dict(deduct=rng.random() < 0.8, base=rng.randrange(3),
                    rate=rng.choice([-1, -1, 0, 6000, 60000, 130000, 300000, rng.randint(0, WHOLE)]))

    def term(kind, **fields):
        return dict(dict(kind=kind, payee=rng.randrange(parties), share=0, amount=0, metric=LINES,
                         cap=-1, floor=-1, levels=[], window=0, first=False, coupon=False),
                    **fields)

    terms, left = [], WHOLE
    for _ in range(rng.randint(0, 4)):
        share = rng.choice([0, left // 2, left, rng.randint(0, left), left // 3])
        terms.append(term(SHARE, share=share))
        left -= share
    for _ in range(rng.choice([0, 0, 1, 2])):
        terms.append(term(AMOUNT, amount=amount(top // 4)))
    for _ in range(rng.choice([0, 0, 0, 1, 2])):
        window = rng.random() < 0.2
        terms.append(term(CPA, amount=1 + amount(top // 20), metric=rng.choice([LINES, UNITS]),
                          cap=amount(top) + 1 if window else -1))
    if rng.random() < 0.3:
        levels = [1 + amount(WHOLE // 2)] + ([amount(WHOLE // 2 - 1)] if rng.random() < 0.6 else [])
        terms.append(term(REFERRAL, levels=levels, window=rng.choice([1, 3, 100]),
                          first=rng.random() < 0.5, coupon=rng.random() < 0.5))
    if rng.random() < 0.2 and left > 0:
        terms.append(term(TIERED, share=left))
    terms.append(term(RESIDUAL))
    rng.shuffle(terms)
    admin = deduction()
    if rng.random() < 0.5:
        admin["deduct"] = False
    agreement = dict(parties=parties, tax=deduction(), store=deduction(), pay=deduction(),
                     admin=admin, fixed=rng.choice([0, 0, amount(top // 50 + 1)]),
                     qualify_days=rng.choice([-1, 0, 1, 2]),
                     fee_borne_by=rng.choice([-1, rng.randrange(parties)]),
                     referral_kept=rng.random() < 0.3,
                     add_back=[rng.random() < 0.5 for _ in range(3)],
                     funder_party=[rng.randrange(parties) for _ in range(3)], terms=terms)

    def given(limit):
        return rng.choice([-1, 0, amount(limit)])

    lines = [dict(paid=rng.choice([0, amount(top), amount(top)]), quantity=rng.choice([1, 1, 3]),
                  tax=given(top // 10),
                  store=given(top // 3), pay=given(top // 50 + 1),
                  discounts=[rng.choice([0, amount(top // 2)]) for _ in range(3)])
             for _ in range(rng.choice([1, 1, 2, 3, 12]))]
    refunds = []
    for row in range(rng.choice([0, 0, 1, 2, 5, 20])):
        line = rng.choice([-1, rng.randrange(len(lines)), 99])
        limit = rng.choice([1, top // 10 + 1, top])
        refunds.append((rng.choice([0, DAY // 2, DAY, DAY + 1, 2 * DAY]), rng.randrange(2), rng.randrange(3), row,
                        line, amount(limit), rng.choice([-1, -1, amount(limit // 10)]),
                        rng.choice([0, 0, amount(top // 50 + 1)])))
    if rng.random() < 0.3:  # all of it
        refunds.append((rng.choice([2 * DAY, 2 * DAY + 1]), 1, 2, 99, -1,
                        sum(line["paid"] for line in lines), -1, 0))
    promoters = [(rng.choice([-1, 0, 1, 2]), rng.random() < 0.2, rng.random() < 0.2)
                 for _ in range(3)]
    touches = [(rng.choice([-1, 0, 1, 2, 3, 4]), rng.randrange(3), rng.randrange(3),
                rng.random() < 0.2, rng.random() < 0.2, event)
               for event in rng.sample(range(10), rng.choice([0, 1, 2, 5]))]
    return lines, refunds, agreement, promoters, touches


def stream(rng):
    yield CASES
    for _ in range(CASES):
        lines, refunds, agreement, promoters, touches = draw(rng)
        yield agreement["parties"]
        for name in ("tax", "store", "pay", "admin"):
            yield from (int(agreement[name]["deduct"]), agreement[name]["rate"],
                        agreement[name]["base"])
        for back, party in zip(agreement["add_back"], agreement["funder_party"]):
            yield from (int(back), party)
        yield from (agreement["fixed"], agreement["qualify_days"], agreement["fee_borne_by"],
                    int(agreement["referral_kept"]))
        yield len(agreement["terms"])
        for term in agreement["terms"]:
            levels = (term["levels"] + [0, 0])[:2]
            yield from (term["kind"], term["payee"], term["share"], term["amount"], term["metric"],
                        term["cap"], len(term["levels"]), *levels, term["window"],
                        int(term["first"]), int(term["coupon"]))
        for parent, own, suspended in promoters:
            yield from (parent, int(own), int(suspended))
        yield len(touches)
        for age, kind, promoter, own, suspended, event in touches:
            yield from (age, kind, promoter, int(own), int(suspended), event)
        yield len(lines)
        for line in lines:
            yield from (line["paid"], line["quantity"], line["tax"], line["store"], line["pay"], *line["discounts"])
        yield len(refunds)
        for refund in refunds:
            yield from refund
        state, excess, cut = apply_refunds(lines, refunds)
        yield from (excess, cut)
        for line, refunded in zip(lines, state):
            got = settle_line(line, refunded, agreement, touches, promoters)
            yield from (got["held"], got["refunded"], got["tax"], got["store"], got["pay"],
                        got["admin"], got["net"], got["added"], got["base"], got["open"],
                        got["lines"], got["units"])
            for amount, promoter in got["referral"]:
                yield from (amount, promoter)
            yield from got["shares"]


def main():
    with open(sys.argv[1], "w", encoding="ascii") as out:
        out.write("/* Made by settle_reference.py. */\n#include <stdint.h>\n")
        out.write("static const int64_t settle_cases[] = {\n")
        for number in stream(random.Random("accord settle 1")):
            out.write(f"INT64_C({number}),\n")
        out.write("};\n")


main()
