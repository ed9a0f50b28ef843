"""The fourth family: arithmetic with numbers too large for the head, and a calculator that few authors use.

`37*85?`, `387*642?` or `387*642+5931?`: a number. A call is `[387*642]`; what it gives follows it at once. The answer
is the text after the last `>`, as in the other families (problems.py).
"""

from __future__ import annotations

import re

import numpy as np

from localpower.lab.problems import Problem

FAMILY = "product"
_DIGITS = {
    1: (2, 2, 0),
    2: (3, 2, 0),
    3: (3, 3, 0),
    4: (2, 2, 3),
    5: (3, 3, 4),
}  # by level: of a*b+c, 0: no c


def draw_product(level: int, rng: np.random.Generator, *, held_out: bool) -> Problem:
    """A random problem of a level, 1 to 5, for training or held out. Levels 4 and 5 take two operations."""
    while True:
        a, b, c = (_number(digits, rng) for digits in _DIGITS[level])
        more = f"+{c}" if c else ""
        problem = Problem(FAMILY, level, f"{a}*{b}{more}?", str(a * b + c))
        if problem.held_out == held_out:
            return problem


def _number(digits: int, rng: np.random.Generator) -> int:
    """Of so many digits; 0 of none."""
    return int(rng.integers(10 ** (digits - 1), 10**digits)) if digits else 0


def calculated(call: str) -> str | None:
    """What the calculator gives for a call's text: of two numbers of up to nine digits; None for any other text."""
    found = re.fullmatch(r"(\d{1,9})([*+])(\d{1,9})", call)
    if found is None:
        return None
    a, b = int(found[1]), int(found[3])
    return str(a * b if found[2] == "*" else a + b)
