"""Values of options that a number or a choice alone does not describe, and the limits of some."""

from __future__ import annotations

import math
import sys
from typing import Any

import click

from localpower.methods import plain_number

MOST_ALPHA = 1e6  # beyond it alpha * log p could overflow
MOST_THREADS = 512  # GGML_MAX_N_THREADS: more abort the process


class Finite(click.ParamType[float]):
    """A finite number from `low` to `high`: NaN and infinities can never be right."""

    name = "float"

    def __init__(self, low: float, high: float = sys.float_info.max) -> None:
        self._low = low
        self._high = high

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or a usage error that says what was expected."""
        try:
            number = float(value)
        except ValueError:
            self.fail(f"{value!r} is not a number", param, ctx)
        if number > self._high and math.isfinite(number):
            self.fail(f"expected a number of at most {self._high:g}, got {value}", param, ctx)
        if not math.isfinite(number) or number < self._low:
            self.fail(f"expected a number of at least {self._low:g}, got {value}", param, ctx)
        return number


_UNITS = {"s": 1e7, "t": 1e9, "x": 1e4}  # and the most of each


def read_budget(text: str) -> str:
    """30s, 5000t or 4x as it is. Raises ValueError for anything else."""
    number, unit = plain_number(text[:-1]), text[-1:]
    if unit not in _UNITS or not 0.0 < float(number) <= _UNITS[unit] or (unit == "t" and int(number) <= 0):
        raise ValueError
    return text


class BudgetText(click.ParamType[str]):
    """30s, 5000t or 4x."""

    name = "budget"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text as it is, or a usage error."""
        try:
            return read_budget(str(value))
        except ValueError:
            self.fail(f"expected something like 30s, 5000t or 4x, got {value!r}", param, ctx)
