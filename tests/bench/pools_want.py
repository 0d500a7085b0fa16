"""What the clicks of the data come to: members, and what every pool gives whom, by exact fractions.

From the raw file alone; not the service's code, nor its order of work.
"""

import csv
from collections import Counter, defaultdict
from datetime import date, timedelta
from fractions import Fraction

MILLION = 1_000_000
STARTS = {"2013B": date(2013, 2, 1), "2013J": date(2013, 10, 1), "2014B": date(2014, 2, 1), "2014J": date(2014, 10, 1)}
TERM_DAYS = 240
PROVIDERS = [f"house-{i}" for i in range(8)]
SHARE_PPM = 450_000


def provider(site):
    return PROVIDERS[int(site) % len(PROVIDERS)]


def paid(learner):
    """Members do not all pay the same."""
    return 7900 + 131 * (int(learner) % 17)


class Member:
    """One registration, as a membership of so many days."""

    def __init__(self, presentation, learner, stopped):
        self.presentation, self.learner, self.stopped = presentation, learner, stopped
        self.start = STARTS[presentation]
        self.paid = paid(learner)
        self.end = self.start + timedelta(TERM_DAYS)

    def so_far(self, day):
        """Recognised before a day."""
        days = min(max((day - self.start).days, 0), TERM_DAYS if self.stopped is None else self.stopped)
        return self.paid * days // TERM_DAYS

    def refunded(self):
        return self.paid - self.paid * self.stopped // TERM_DAYS

    def fee(self, first, after):
        """What the month puts into the pool: one amount, rounded half to even."""
        return round(Fraction((self.so_far(after) - self.so_far(first)) * SHARE_PPM, MILLION))


def read_members(path, presentations):
    """Registrations that lasted, of presentations (module, presentation) that there are clicks of."""
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            left = row["date_unregistration"]
            if (row["code_module"], row["code_presentation"]) not in presentations:
                continue
            if left and int(left) <= 0:
                continue
            stopped = int(left) if left and int(left) < TERM_DAYS else None
            yield row["code_module"], Member(row["code_presentation"], row["id_student"], stopped)


def read_clicks(path):
    """{(module, presentation, learner, site, day): clicks}"""
    clicks = Counter()
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            day = STARTS[row["code_presentation"]] + timedelta(int(row["date"]))
            clicks[row["code_module"], row["code_presentation"], row["id_student"], row["id_site"], day] += \
                int(row["sum_click"])
    return clicks


def largest_remainder(total, exact):
    """Whole numbers near exact ones that add up to their total; ties to the first."""
    parts = [e.numerator // e.denominator for e in exact]
    order = sorted(range(len(exact)), key=lambda i: (parts[i] - exact[i], i))
    for i in order[: total - sum(parts)]:
        parts[i] += 1
    return parts


def pro_rata(fees, used):
    """By clicks, idle money too."""
    units = [sum(u[i] for u in used.values()) for i in range(len(PROVIDERS))]
    total = sum(fees.values())
    return largest_remainder(total, [Fraction(total * u, sum(units)) for u in units])


def user_centric(fees, used):
    """Each member's own fee by his own clicks, in millionths of a penny."""
    micro = [0] * len(PROVIDERS)
    for learner, units in used.items():
        fee = fees[learner] * MILLION
        for i, part in enumerate(largest_remainder(fee, [Fraction(fee * u, sum(units)) for u in units])):
            micro[i] += part
    return largest_remainder(sum(micro) // MILLION, [Fraction(m, MILLION) for m in micro])


def shapley(fees, used):
    """Each member's own fee in equal parts to whom he used at all."""
    exact = [Fraction(0)] * len(PROVIDERS)
    for learner, units in used.items():
        for i, u in enumerate(units):
            if u:
                exact[i] += Fraction(fees[learner], sum(v > 0 for v in units))
    return largest_remainder(int(sum(exact)), exact)


METHODS = {"pro_rata": pro_rata, "user_centric": user_centric, "shapley": shapley}


def months():
    year, month = 2013, 2
    while (year, month) <= (2015, 5):
        after = (year, month + 1) if month < 12 else (year + 1, 1)
        yield f"{year}-{month:02}", date(year, month, 1), date(*after, 1)
        year, month = after


def want(members, clicks):
    """{method: {month: (fees, members, [amount per provider])}}; months without members are left out."""
    used = defaultdict(lambda: defaultdict(lambda: [0] * len(PROVIDERS)))
    for (_, _, learner, site, day), count in clicks.items():
        used[f"{day:%Y-%m}"][learner][int(site) % len(PROVIDERS)] += count
    result = {method: {} for method in METHODS}
    for label, first, after in months():
        fees = Counter()
        for _, member in members:
            fees[member.learner] += member.fee(first, after)
        fees = {learner: fee for learner, fee in fees.items() if fee}
        active = {learner: units for learner, units in used[label].items() if learner in fees and any(units)}
        if fees:
            for method, divide in METHODS.items():
                amounts = divide(fees, active) if active else [0] * len(PROVIDERS)
                result[method][label] = (sum(fees.values()), len(fees), amounts)
    return result
