"""Ratios of what is measured in alternation, so that a machine that is busy is so for both."""

import statistics

BAND = 0.10
REPEATS_MAX = 5


class Pairs:
    """Rates of a subject and of others, pair by pair; `measure` runs one of each."""

    def __init__(self):
        self.pairs = []  # (subject, other)

    def add(self, subject, other):
        self.pairs.append((subject, other))

    def strayed(self):
        """The pair whose other side is furthest from the median, if it is more than 10 % off."""
        middle = statistics.median(other for _, other in self.pairs)
        worst = max(range(len(self.pairs)), key=lambda i: abs(self.pairs[i][1] - middle))
        return worst if abs(self.pairs[worst][1] - middle) > BAND * middle else None

    def settle(self, plan, again):
        """Measures pairs that strayed once more, as long as there is time."""
        for _ in range(REPEATS_MAX):
            worst = self.strayed()
            if worst is None or plan.late():
                return
            self.pairs[worst] = again()

    def ratios(self):
        return [subject / other for subject, other in self.pairs]


def alternate(plan, subject, others, rounds=None):
    """Runs subject() and then each of others = {name: function of what subject() gave}, in each round.

    Both answer a rate, or subject() a tuple that begins with one. Answers {name: Pairs}. `rounds`: fewer than
    the plan's, and no pair twice.
    """
    pairs = {name: Pairs() for name in others}

    def rate(what):
        return what[0] if isinstance(what, tuple) else what

    for _ in range(rounds or plan.rounds):
        mine = subject()
        for name, other in others.items():
            pairs[name].add(rate(mine), other(mine))

    def again(name):
        mine = subject()
        return rate(mine), others[name](mine)

    if rounds is None:
        for name, found in pairs.items():
            found.settle(plan, lambda name=name: again(name))
    return pairs
