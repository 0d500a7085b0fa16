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

    def settle(self, again):
        """Measures pairs that strayed once more."""
        repeats = 0
        while len(self.pairs) > 2 and repeats < REPEATS_MAX and (worst := self.strayed()) is not None:
            self.pairs[worst] = again()
            repeats += 1
        return repeats

    def ratios(self):
        return [subject / other for subject, other in self.pairs]


def alternate(rounds, subject, others, repeat=True):
    """Runs subject() and then each of others = {name: function of what subject() gave}, `rounds` times.

    Both answer a rate, or subject() a tuple that begins with one. Answers {name: Pairs}.
    """
    pairs = {name: Pairs() for name in others}

    def rate(what):
        return what[0] if isinstance(what, tuple) else what

    for _ in range(rounds):
        mine = subject()
        for name, other in others.items():
            pairs[name].add(rate(mine), other(mine))

    def again(name):
        mine = subject()
        return rate(mine), others[name](mine)

    if repeat:
        for name, found in pairs.items():
            found.settle(lambda name=name: again(name))
    return pairs
