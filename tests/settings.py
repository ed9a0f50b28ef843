"""Which combinations of settings a proof tries, where all of them would take minutes."""

from __future__ import annotations

from itertools import product


def thinned(*settings):
    """All combinations of all settings but the last, whose value is the one that the sum of their numbers comes to.

    So every value of the last is tried with every value of each other setting.
    """
    *crossed, last = settings
    combinations = product(*(enumerate(each) for each in crossed))
    return [
        (*(value for _, value in chosen), last[sum(number for number, _ in chosen) % len(last)])
        for chosen in combinations
    ]
