"""Values of options that a number or a choice alone does not describe, and the limits of some."""

from __future__ import annotations

import math
import sys
from typing import Any

import click

MOST_RUNS = 61  # chains times proposals: four sequences each, of llama.cpp's 256
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


class Share(Finite):
    """A weight of at least 0 and below 1."""

    def __init__(self) -> None:
        super().__init__(0.0)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or a usage error that says what was expected."""
        number = super().convert(value, param, ctx)
        if number >= 1.0:
            self.fail(f"expected a number from 0 to less than 1, got {value}", param, ctx)
        return number


class Width(click.ParamType[str]):
    """`auto`, or a whole number of proposals."""

    name = "auto|N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text as it is, or a usage error."""
        if value != "auto" and not (
            str(value).isascii() and str(value).isdigit() and 1 <= int(value) <= MOST_RUNS
        ):
            self.fail(f"expected auto or a number from 1 to {MOST_RUNS}, got {value!r}", param, ctx)
        return str(value)


class Rungs(click.ParamType[str]):
    """A number of rungs, or their exponents separated by commas."""

    name = "N|A,B,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text as it is, or a usage error."""
        if str(value).isascii() and str(value).isdigit():
            if not 1 <= int(value) <= MOST_RUNS:
                self.fail(f"expected 1 to {MOST_RUNS} rungs, got {value}", param, ctx)
        else:
            for part in str(value).split(","):
                Finite(1.0, MOST_ALPHA).convert(part, param, ctx)
        return str(value)


_UNITS = {"s": 1e7, "t": 1e9, "x": 1e4}  # and the most of each


class StartText(click.ParamType[str]):
    """draw, smc:N or best-of-n:N."""

    name = "start"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text as it is, or a usage error."""
        method, _, n = str(value).partition(":")
        many = method in ("smc", "best-of-n") and n.isascii() and n.isdigit() and 1 <= int(n) <= MOST_RUNS
        if value != "draw" and not many:
            self.fail(
                f"expected draw, smc:N or best-of-n:N, N at most {MOST_RUNS}, got {value!r}", param, ctx
            )
        return str(value)


class BudgetText(click.ParamType[str]):
    """30s, 5000t or 4x."""

    name = "budget"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text as it is, or a usage error."""
        number, unit = str(value)[:-1], str(value)[-1:]
        try:
            good = unit in _UNITS and 0.0 < float(number) <= _UNITS[unit] and (unit != "t" or int(number) > 0)
        except ValueError:
            good = False
        if not good:
            self.fail(f"expected something like 30s, 5000t or 4x, got {value!r}", param, ctx)
        return str(value)
