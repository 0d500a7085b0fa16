#!/usr/bin/env python3
"""The rules of accord/settle.h once more, in exact rationals: `settle_reference.py OUT`.

Written from the header's text and apart from the C code. Draws orders, refunds and agreements from
a fixed seed, settles them, and writes input and expectation as one stream of numbers that
test_settle_reference.c replays. Any disagreement is a bug in one of the two.
"""

import random
import sys
from fractions import Fraction

CASES = 1500
WHOLE = 10**6


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
        self.amount = 0
        self.pro_rata = 0
        self.tax = 0
        self.fee = 0


def apply_refunds(lines, refunds):
    """Each refund: (time, partner, event, row, line or -1, amount, tax or -1, fee)."""
    state = [Refunded() for _ in lines]
    excess, cut = 0, 0
    for _, _, _, _, line, amount, tax, fee in sorted(refunds, key=lambda r: r[:4]):
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
            s.amount += part
            s.pro_rata += part if tax < 0 else 0
            s.tax += t
            s.fee += f
    return state, excess, cut


def settle_line(line, state, agreement):
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
    for name in ("store", "pay"):
        fee = agreement[name]
        if fee["rate"] >= 0:
            base = (paid, paid - tax_sold, running)[fee["base"]]
            sold[name] = half_even(Fraction(max(base, 0) * fee["rate"], WHOLE))
        else:
            sold[name] = max(line[name], 0)
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

    shares = [0] * agreement["parties"]
    held = dict(held=5, refunded=state.amount, tax=0, store=0, pay=0, net=0, added=0, shares=shares)
    amounts = sum(t["amount"] for t in agreement["terms"] if t["kind"] == 1)
    funded = [d if a else 0 for d, a in zip(line["discounts"], agreement["add_back"])]
    if amounts > 0 and amounts > running + sum(funded):
        return held

    net = remaining - tax - store - pay
    charges = [of(amount, remaining) for amount in funded]
    rest = net + sum(charges)
    for term in agreement["terms"]:
        if term["kind"] == 1:
            amount = of(term["amount"], remaining)
            shares[term["payee"]] += amount
            rest -= amount
    split = [t for t in agreement["terms"] if t["kind"] != 1]
    named = sum(t["share"] for t in split if t["kind"] == 0)
    weights = [t["share"] if t["kind"] == 0 else WHOLE - named for t in split]
    for term, part in zip(split, largest_remainder(rest, weights)):
        shares[term["payee"]] += part
    for party, amount in zip(agreement["funder_party"], charges):
        shares[party] -= amount
    assert sum(shares) == net
    return dict(held=0, refunded=state.amount, tax=tax, store=store, pay=pay, net=net,
                added=sum(charges), shares=shares)


def draw(rng):
    top = rng.choice([3, 100, 20000, 10**7, 10**13])
    parties = rng.randint(2, 5)

    def amount(limit):
        return rng.randint(0, limit)

    def deduction():
        return dict(deduct=rng.random() < 0.8, base=rng.randrange(3),
                    rate=rng.choice([-1, -1, 0, 6000, 60000, 130000, 300000, rng.randint(0, WHOLE)]))

    terms, left = [], WHOLE
    for _ in range(rng.randint(0, 4)):
        share = rng.choice([0, left // 2, left, rng.randint(0, left), left // 3])
        terms.append(dict(kind=0, payee=rng.randrange(parties), share=share, amount=0))
        left -= share
    for _ in range(rng.choice([0, 0, 1, 2])):
        terms.append(dict(kind=1, payee=rng.randrange(parties), share=0, amount=amount(top // 4)))
    terms.append(dict(kind=2, payee=rng.randrange(parties), share=0, amount=0))
    rng.shuffle(terms)
    agreement = dict(parties=parties, tax=deduction(), store=deduction(), pay=deduction(),
                     add_back=[rng.random() < 0.5 for _ in range(3)],
                     funder_party=[rng.randrange(parties) for _ in range(3)], terms=terms)

    def given(limit):
        return rng.choice([-1, 0, amount(limit)])

    lines = [dict(paid=rng.choice([0, amount(top), amount(top)]), tax=given(top // 10),
                  store=given(top // 3), pay=given(top // 50 + 1),
                  discounts=[rng.choice([0, amount(top // 2)]) for _ in range(3)])
             for _ in range(rng.choice([1, 1, 2, 3, 12]))]
    refunds = []
    for row in range(rng.choice([0, 0, 1, 2, 5, 20])):
        line = rng.choice([-1, rng.randrange(len(lines)), 99])
        limit = rng.choice([1, top // 10 + 1, top])
        refunds.append((rng.randint(0, 3), rng.randrange(2), rng.randrange(3), row,
                        line, amount(limit), rng.choice([-1, -1, amount(limit // 10)]),
                        rng.choice([0, 0, amount(top // 50 + 1)])))
    if rng.random() < 0.2:  # all of it
        refunds.append((9, 0, 0, 0, -1, sum(line["paid"] for line in lines), -1, 0))
    return lines, refunds, agreement


def stream(rng):
    yield CASES
    for _ in range(CASES):
        lines, refunds, agreement = draw(rng)
        yield agreement["parties"]
        for name in ("tax", "store", "pay"):
            yield from (int(agreement[name]["deduct"]), agreement[name]["rate"],
                        agreement[name]["base"])
        for back, party in zip(agreement["add_back"], agreement["funder_party"]):
            yield from (int(back), party)
        yield len(agreement["terms"])
        for term in agreement["terms"]:
            yield from (term["kind"], term["payee"], term["share"], term["amount"])
        yield len(lines)
        for line in lines:
            yield from (line["paid"], line["tax"], line["store"], line["pay"], *line["discounts"])
        yield len(refunds)
        for refund in refunds:
            yield from refund
        state, excess, cut = apply_refunds(lines, refunds)
        yield from (excess, cut)
        for line, refunded in zip(lines, state):
            got = settle_line(line, refunded, agreement)
            yield from (got["held"], got["refunded"], got["tax"], got["store"], got["pay"],
                        got["net"], got["added"], *got["shares"])


def main():
    with open(sys.argv[1], "w", encoding="ascii") as out:
        out.write("/* Made by settle_reference.py. */\n#include <stdint.h>\n")
        out.write("static const int64_t settle_cases[] = {\n")
        for number in stream(random.Random("accord settle 1")):
            out.write(f"INT64_C({number}),\n")
        out.write("};\n")


main()
