"""Values of options that a number or a choice alone does not describe, and the limits of some."""

from __future__ import annotations

import math
from typing import Any

import click

from localpower.readers import BUDGET, number


class Finite(click.ParamType[float]):
    """A finite number from `low` to `high`: NaN and infinities can never be right."""

    name = "float"

    def __init__(self, low: float, high: float = math.inf) -> None:
        self._reader = number(low, high)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or a usage error that says what was expected."""
        try:
            return float(self._reader.read(str(value)))
        except ValueError:
            self.fail(f"expected {self._reader.expected}, got {value!r}", param, ctx)


class BudgetText(click.ParamType[str]):
    """30s, 5000t or 4x."""

    name = "budget"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text as it is, or a usage error."""
        try:
            return str(BUDGET.read(str(value)))
        except ValueError:
            self.fail(f"expected {BUDGET.expected}, got {value!r}", param, ctx)
