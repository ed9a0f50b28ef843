"""Values of options that a number or a choice alone does not describe, and the limits of some."""

from __future__ import annotations

import math
import sys
from typing import Any

import click

from localpower.readers import AUTO_LAYERS, BUDGET


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


class Layers(click.ParamType[int]):
    """A number of layers, or `auto`, which is AUTO_LAYERS."""

    name = "layers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number, or a usage error."""
        if value == "auto":
            return AUTO_LAYERS
        number: int = click.IntRange(min=0).convert(value, param, ctx)
        return number


class BudgetText(click.ParamType[str]):
    """30s, 5000t or 4x."""

    name = "budget"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text as it is, or a usage error."""
        try:
            return str(BUDGET.read(str(value)))
        except ValueError:
            self.fail(f"expected {BUDGET.expected}, got {value!r}", param, ctx)
