"""Checks an expression of a countdown problem, as often as wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from localpower.grading.countdown import value_and_numbers
from localpower.tools.environment import Json, Tool


class CountdownCheck:
    """One tool, `check(expression)`: its value, and whether it solves the problem. Nothing is told of other solutions.

    numbers, target: of the problem; without a target it tells values alone. `check` of the environment: whether a
    solution has been shown to it.
    """

    deterministic = True
    tools = (
        Tool(
            "check",
            "The value of an expression of whole numbers, + - * / and brackets, and whether it solves the problem.",
            {"type": "object", "properties": {"expression": {"type": "string"}}, "required": ["expression"]},
        ),
    )

    def __init__(self, numbers: Sequence[int] = (), target: int | None = None) -> None:
        self._numbers, self._target, self._solved = sorted(numbers), target, False

    def reset(self, seed: int) -> None:
        """Nothing has been shown."""
        self._solved = False

    def call(self, name: str, arguments: Mapping[str, Json]) -> str:
        """What is right and what is not. Raises ValueError for text that is no such expression."""
        found = value_and_numbers(str(arguments["expression"]))
        if found is None:
            raise ValueError("no expression of whole numbers, + - * / and brackets")
        value, used = found
        if self._target is None:
            return str(value)
        if used != self._numbers:
            return f"{value}, but the numbers must be {', '.join(map(str, self._numbers))}, each used once"
        self._solved |= value == self._target
        return f"{value}, right" if value == self._target else f"{value}, not {self._target}"

    def fork(self) -> CountdownCheck:
        """A copy."""
        other = CountdownCheck(self._numbers, self._target)
        other._solved = self._solved
        return other

    def state(self) -> Json:
        """Whether a solution has been shown."""
        return {"solved": self._solved}

    def check(self) -> bool | None:
        """Whether a solution has been shown; None without a problem."""
        return None if self._target is None else self._solved
