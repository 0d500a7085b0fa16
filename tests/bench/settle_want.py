"""What everybody must have earned in the replay, from the raw sales alone, by exact fractions.

Not the service's code, nor its order of work: one settle over everything, at the end.
"""

import bisect
import csv
from collections import defaultdict
from fractions import Fraction

MILLION = 1_000_000
TIERS = [(0, 500_000), (5_000_000, 550_000), (50_000_000, 600_000), (200_000_000, 650_000)]
CPA_FEN, CPA_CAP_FEN, CPA_SHARE, GUARANTEE_FEN = 30, 120_000, 300_000, 18_000_000
BEST_SHARES = {"goods": 300_000, "eights": 250_000, "retail": 450_000}


def provider(code):
    """Goods whose number begins with 8 are another provider's."""
    return "eights" if code.startswith("8") else "goods"


def half_even(exact):
    return round(exact)  # of a Fraction: half to even


def largest_remainder(total, weights):
    """Parts of a whole that is not negative; ties to the first."""
    exact = [Fraction(total * w, sum(weights)) for w in weights]
    parts = [int(e) for e in exact]
    order = sorted(range(len(weights)), key=lambda i: (parts[i] - exact[i], i))
    for i in order[: total - sum(parts)]:
        parts[i] += 1
    return parts


def tiered(total):
    """A marginal table; no year of the data is below zero."""
    ends = [start for start, _ in TIERS[1:]] + [None]
    return half_even(sum(Fraction(max(0, (total if end is None else min(total, end)) - start) * rate, MILLION)
                         for (start, rate), end in zip(TIERS, ends)))


class Rates:
    """GBP to CNY over EUR by day: the last published up to it."""

    def __init__(self, path):
        with open(path, encoding="utf-8", newline="") as file:
            rows = [(r["Date"], r["CNY"], r["GBP"]) for r in csv.DictReader(file) if "N/A" not in (r["CNY"], r["GBP"])]
        rows.sort()
        self.days = [r[0] for r in rows]
        self.rates = [Fraction(cny) / Fraction(gbp) for _, cny, gbp in rows]

    def on(self, day):
        return self.rates[bisect.bisect_right(self.days, day) - 1]


def want(sold, best, rates, months):
    """{(agreement, payee): minor units} over the whole life of the agreements."""
    earned = defaultdict(int)
    years = defaultdict(int)
    cpa = {m: [0, 0, 0] for m in months}  # net, share, lines that count
    for month, day, code, paid, refunded in sold:
        net = paid - refunded
        if code in best:
            for payee, part in zip(BEST_SHARES, largest_remainder(net, BEST_SHARES.values())):
                earned["best", payee] += part
        elif provider(code) == "eights":
            fen = half_even(net * rates.on(day))
            cpa[month][0] += fen
            cpa[month][1] += largest_remainder(fen, [CPA_SHARE, MILLION - CPA_SHARE])[0]
            cpa[month][2] += paid == 0 or net > 0
        else:
            years[month[:4]] += net
    for total in years.values():
        earned["tiered", "goods"] += tiered(total)
        earned["tiered", "retail"] += total - tiered(total)
    to_recoup = 0
    for month in months:
        net, share, lines = cpa[month]
        has = share + min(lines * CPA_FEN, CPA_CAP_FEN)
        top_up = GUARANTEE_FEN - has
        if top_up <= 0:
            top_up = -min(-top_up, to_recoup)
        to_recoup += top_up
        earned["cpa", "eights"] += has + top_up
        earned["cpa", "retail"] += net - has - top_up
    return dict(earned)


def read_sold(path):
    with open(path, encoding="utf-8", newline="") as file:
        return [(m, d, c, int(p), int(r)) for m, d, c, p, r in csv.reader(file)]


def months_of(first, last):
    year, month = map(int, first.split("-"))
    while f"{year}-{month:02}" <= last:
        yield f"{year}-{month:02}"
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
