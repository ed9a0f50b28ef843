"""Countdown: an expression of given numbers, each used once, that makes a target. From a seeded generator."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from localpower.evals.problem import Problem
from localpower.evals.sources import Source
from localpower.grading.countdown import OPERATIONS

_SEED = 20251126
_TIERS = {"two": (2, 20), "three": (3, 25), "four": (4, 25)}  # how many numbers, up to which
_EACH = 70
_MOST = 200  # of the target


def problems(source: Source) -> list[Problem]:
    """Seventy of each tier. Gold: {"numbers", "target"}; every problem has a solution by its making."""
    found: list[Problem] = []
    for tier, (count, most) in _TIERS.items():
        rng = np.random.Generator(np.random.PCG64([_SEED, count]))
        made: dict[str, Problem] = {}
        while len(made) < _EACH:
            numbers = [int(n) for n in rng.integers(1, most + 1, count)]
            target = _target(numbers, rng)
            if target is None:
                continue
            shown = ", ".join(map(str, numbers))
            text = f"Use each of the numbers {shown} exactly once, with +, -, *, / and parentheses, to make {target}. "
            gold = {"numbers": sorted(numbers), "target": target}
            name = f"countdown/{tier}/{len(made)}"
            made.setdefault(text, Problem(name, text + "Give the expression only.", gold, tier))
        found += made.values()
    return found


def _target(numbers: list[int], rng: np.random.Generator) -> int | None:
    """What the numbers make when two at random are joined at a time; None unless every value is a positive integer."""
    values = [Fraction(number) for number in numbers]
    while len(values) > 1:
        i, j = (int(k) for k in rng.choice(len(values), 2, replace=False))
        a, b = values[i], values[j]
        value = OPERATIONS["+-*/"[int(rng.integers(4))]](a, b)
        if value <= 0 or value.denominator != 1 or value > _MOST:
            return None
        values = [value, *(v for k, v in enumerate(values) if k not in (i, j))]
    return int(values[0])
