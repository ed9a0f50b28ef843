"""A calculator: the grader's own parser, exact fractions, and nothing that is executed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

from localpower.grading.expression import Node, NotRead, parse
from localpower.grading.worth import at, exact, symbols
from localpower.tools.environment import Json, Stateless, Tool

_DIGITS = 12  # of a value that has no short decimal
_LONGEST = 40  # digits of a whole number that is written out
_COMMA = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")  # of thousands
_SCIENTIFIC = re.compile(r"(\d\.?)[eE]([+-]?\d{1,4})(?![\w.])")  # which the parser reads as a product with e
_SIGNS = str.maketrans({"×": "*", "÷": "/", "−": "-", "·": "*"})


class Calculator(Stateless):
    """One tool, `calculator(expression)`."""

    tools = (
        Tool(
            "calculator",
            "The value of an expression of numbers, + - * / ^, brackets, sqrt and the usual functions.",
            {
                "type": "object",
                "properties": {"expression": {"type": "string", "description": "such as 12 * (3 + 4)"}},
                "required": ["expression"],
            },
        ),
    )

    def call(self, name: str, arguments: Mapping[str, Json]) -> str:
        """The value. Raises ValueError for what has none."""
        return value(str(arguments["expression"]))


def value(expression: str) -> str:
    """A whole number or short decimal exactly, else 12 digits. Raises ValueError that says what is wrong."""
    text = _COMMA.sub("", expression).translate(_SIGNS).strip().removesuffix("=")
    text = _SCIENTIFIC.sub(r"\1*10^(\2)", text)
    try:
        node = parse(text)
    except (NotRead, RecursionError):
        raise ValueError(f"cannot read the expression {expression[:80]!r}") from None
    if unknown := symbols(node):
        raise ValueError(f"the expression has unknowns: {', '.join(sorted(unknown))}")
    try:
        return _written(exact(node))
    except (NotRead, RecursionError, OverflowError):
        return _inexact(node)


def _inexact(node: Node) -> str:
    try:
        found = at(node, {})
    except NotRead:
        raise ValueError("the expression has no value, or one that is too large") from None
    if abs(found.imag) > abs(found) * 1e-12:
        raise ValueError("the value is no real number")
    return f"{found.real:.{_DIGITS}g}"


def _written(found: Fraction) -> str:
    if found.denominator == 1 and abs(found) < 10**_LONGEST:
        return str(found.numerator)
    try:
        shown = f"{float(found):.{_DIGITS}g}"
    except OverflowError:
        raise ValueError("the value is too large") from None
    return shown
