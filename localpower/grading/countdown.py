"""Countdown: does an expression use the given numbers, each once, and make the target? Read as a tree, never run."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

from localpower.grading.extract import announcements, boxed, first_found

OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
_OPERATORS = dict(zip((ast.Add, ast.Sub, ast.Mult, ast.Div), OPERATIONS.values(), strict=True))
_LONGEST = 200
_SIGNS = {
    **{"[": "(", "]": ")", "×": "*", "÷": "/", "−": "-", "–": "-", "⋅": "*", "·": "*"},
    **{r"\times": "*", r"\cdot": "*", r"\div": "/"},
}
_RUN = re.compile(r"[\d(][\d+\-*/() \t]{0,199}")
_WRAPPERS = re.compile(r"\\[()\[\]]|[$`]|\\(?:left|right)(?![A-Za-z])|^\s{0,9}\*\*|\*\*[\s.]{0,9}$")
_MARKER = re.compile(r"^\s{0,9}\d[.)]\s{1,9}")  # of a numbered list
_FRACTION = re.compile(r"\\[dt]?frac\{([^{}]{1,99})\}\{([^{}]{1,99})\}")
_CROSS = re.compile(r"(?<=[\d)\s])[xX](?=[\s\d(])")
_BEFORE, _AFTER = re.compile(r"[\w.^+*/-]"), re.compile(r"[\w^!]|\.\d")  # 3 + 4! and -3 + 4 are not 3 + 4
_LINES = 50  # of an answer that are looked at


def value_and_numbers(expression: str) -> tuple[Fraction, list[int]] | None:
    """Value and numbers used (sorted) of an expression of whole numbers, + - * / and brackets; None for other text."""
    if len(expression) > _LONGEST:
        return None
    try:
        node = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    numbers: list[int] = []
    try:
        value = _value(node, numbers)
    except ZeroDivisionError:
        return None
    return None if value is None else (value, sorted(numbers))


def solves(expression: str, numbers: Sequence[int], target: int) -> bool:
    """Whether the expression uses exactly these numbers and makes the target."""
    found = value_and_numbers(expression)
    return found is not None and found[0] == target and found[1] == sorted(numbers)


def expression_answer(text: str) -> str | None:
    """The expression in a text: in a box, in a line that announces the answer, else the first that can be read."""
    return first_found(_expression, text)


def _expression(text: str) -> str | None:
    lines = (boxed(text) or "", *announcements(text), *text.splitlines()[:_LINES])
    return next((found for line in lines for found in _expressions(line)), None)


def _expressions(line: str) -> Iterator[str]:
    """Readable expressions with at least one sign; `3 + 4 = 7` and `7 = 3 + 4` hold one."""
    line = _FRACTION.sub(r"((\1)/(\2))", _WRAPPERS.sub(" ", _MARKER.sub("", line)))
    for name, sign in _SIGNS.items():
        line = line.replace(name, sign)
    line = _CROSS.sub("*", line)
    for part in line.split("="):
        for match in _RUN.finditer(part):
            found = match.group().rstrip(" \t(")  # a bracket after a blank may begin a remark
            if _BEFORE.search(part[: match.start()][-1:]) or _AFTER.match(part, match.start() + len(found)):
                continue
            if any(sign in found for sign in "+-*/") and value_and_numbers(found) is not None:
                yield found


def _value(node: ast.expr, numbers: list[int]) -> Fraction | None:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        numbers.append(node.value)
        return Fraction(node.value)
    if not isinstance(node, ast.BinOp) or type(node.op) not in _OPERATORS:
        return None
    left, right = _value(node.left, numbers), _value(node.right, numbers)
    return None if left is None or right is None else _OPERATORS[type(node.op)](left, right)
