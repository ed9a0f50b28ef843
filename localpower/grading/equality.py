"""Whether an answer is the wanted one, by value: lists, tuples, intervals, matrices, equations, bases, words."""

from __future__ import annotations

import cmath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from localpower.grading.expression import Node, NotRead, at, exact, parse, symbols
from localpower.grading.latex import LONGEST, bare, plain

_CLOSE = 1e-9  # relative; of an exact value a decimal with ten digits is near enough
_NOISE = 1e-13  # what rounding leaves of a zero
_POINTS = (0.7316, -1.3127, 2.1934)  # where expressions with unknowns are compared
_MOST = 64  # parts of a list or matrix

_IN = re.compile(r"^\s*\\?[A-Za-z]+\s*\\in(?![A-Za-z])\s*")
_THOUSANDS = re.compile(r"(?<![\d.])\d{1,3}(?:,\d{3})+(?![\d,])")
_BASED = re.compile(r"^(-?[0-9A-Za-z]+)\s*_\s*\{?\s*(\d+)\s*\}?$")
_MATRIX = re.compile(r"\\begin\s*\{([pbvBV]?matrix|array)\}\s*(?:\{[lcr|]*\})?(.*?)\\end\s*\{\1\}", re.DOTALL)
_CHOICE = re.compile(r"^\(?\s*([A-Za-z])\s*\)?$")
_RELATION = re.compile(r"\\le(?![A-Za-z])|\\ge(?![A-Za-z])|\\ne(?![A-Za-z])|<|>|=")
_FLIPPED = {"<": ">", ">": "<", "\\le": "\\ge", "\\ge": "\\le", "=": "=", "\\ne": "\\ne"}


@dataclass(frozen=True, slots=True)
class Value:
    """An answer read. kind: number, list, ordered, union, matrix, equation, based or words.

    parts: of a list, tuple or interval (`brackets` says which), union or matrix row by row; node: of a number.
    """

    kind: str
    parts: tuple[Value, ...] = ()
    brackets: str = ""
    node: Node | None = None
    text: str = ""


def equal(gold: str, answer: str) -> bool:
    """Whether the answer has the wanted value. Never raises; texts beyond the caps are compared as words."""
    if len(gold) > 10 * LONGEST or len(answer) > 10 * LONGEST:
        return gold.strip() == answer.strip()
    if gold.strip() == answer.strip() or bare(gold) == bare(answer) != "":
        return True
    try:
        return _same(read(gold), read(answer))
    except (NotRead, RecursionError):
        return False


def read(text: str) -> Value:
    """What a text says. Raises NotRead for one that is too long."""
    text = plain(text)
    if len(text) > LONGEST:
        raise NotRead("too long")
    return _list(text)


def _list(text: str) -> Value:
    """Parts between commas; a lone part is itself."""
    text = re.sub(r"(?i)(?<![A-Za-z\\])(?:and|or)(?![A-Za-z])", ",", text)
    text = re.sub(r",\s*,", ",", text)
    if not _has_brackets(text):
        text = _THOUSANDS.sub(lambda m: m.group().replace(",", ""), text) if _only_thousands(text) else text
    parts = _split(text, ",")
    if len(parts) > _MOST:
        raise NotRead("too long")
    if len(parts) > 1:
        return Value("list", tuple(sum((_spread(part) for part in parts), ())))
    spread = _spread(text)
    return spread[0] if len(spread) == 1 else Value("list", spread)


def _has_brackets(text: str) -> bool:
    return any(mark in text for mark in "([") or r"\{" in text


def _only_thousands(text: str) -> bool:
    """One number with commas, signs, prefix and unit aside; not a list such as 100,200,300 of single groups."""
    return bool(re.fullmatch(r"[^,\d]*\d{1,3}(?:,\d{3})+(?:\.\d+)?[^,\d]*", text))


def _spread(text: str) -> tuple[Value, ...]:
    r"""A part, or the two that \pm stands for."""
    signs = re.search(r"\\pm(?![A-Za-z])|\\mp(?![A-Za-z])|\+-|\+/-", text)
    if signs is None or (text.strip().startswith(("\\{", "(", "[")) and _grouped(text.strip())):
        return (_part(text),)
    both = re.compile(r"\\pm(?![A-Za-z])|\+-|\+/-")
    other = re.compile(r"\\mp(?![A-Za-z])")
    return tuple(
        _part(other.sub(second, both.sub(first, text))) for first, second in (("+", "-"), ("-", "+"))
    )


def _part(text: str) -> Value:
    text = text.strip()
    if not text:
        raise NotRead("nothing")
    text = _IN.sub("", text)
    if matrix := _MATRIX.fullmatch(text):
        return _matrix(matrix.group(2))
    if (based := _BASED.match(text)) and any(c.isdigit() for c in based.group(1)):
        return Value("based", text=f"{based.group(1).upper()}_{int(based.group(2))}")
    pieces = _split(text, r"\cup ")
    if len(pieces) > 1:
        return Value("union", tuple(_part(piece) for piece in pieces))
    if grouped := _grouped(text):
        return grouped
    if len(relations := _RELATION.findall(text)) > 0:
        return _related(text, relations)
    if (choice := _CHOICE.match(text)) and text.startswith("("):
        return Value("words", text=choice.group(1).lower())
    try:
        return Value("number", node=parse(text), text=text)
    except NotRead:
        return Value("words", text=bare(text))


def _grouped(text: str) -> Value | None:
    """A tuple, interval or set: brackets around at least two parts, or a set of any number."""
    for left, right in (
        ("\\{", "\\}"),
        ("(", ")"),
        ("(", "]"),
        ("[", ")"),
        ("[", "]"),
        ("\\langle", "\\rangle"),
    ):
        if not (text.startswith(left) and text.endswith(right)):
            continue
        inside = text[len(left) : -len(right)]
        if not _balanced(inside):
            return None
        parts = _split(inside, ",")
        if len(parts) > _MOST:
            raise NotRead("too long")
        if left == "\\{":
            return Value("list", sum((_spread(part) for part in parts), ()) if inside.strip() else ())
        if len(parts) < 2:
            return None
        brackets = "()" if left == "\\langle" else left + right
        return Value("ordered", tuple(_part(part) for part in parts), brackets)
    return None


def _matrix(inside: str) -> Value:
    rows = [row for row in re.split(r"\\\\", inside) if row.strip()]
    cells = tuple(Value("ordered", tuple(_part(cell) for cell in row.split("&")), "row") for row in rows)
    if sum(len(row.parts) for row in cells) > _MOST:
        raise NotRead("too long")
    return Value("matrix", cells)


def _related(text: str, relations: list[str]) -> Value:
    """An equation, an inequality, or an interval written as one."""
    sides = [side.strip() for side in _RELATION.split(text)]
    if len(relations) == 1 and relations[0] == "=":
        left, right = _number(sides[0]), _number(sides[1])
        return Value("equation", (left, right))
    if set(relations) == {"="}:
        return _part(sides[-1])  # a = b = c: what it comes to
    interval = _interval(sides, relations)
    return interval if interval else Value("words", text=bare(text))


def _interval(sides: list[str], relations: list[str]) -> Value | None:
    """x > 3 as (3, inf), and so on; None for what is no interval in one unknown."""
    below, above = {"<": "(", "\\le": "["}, {"<": ")", "\\le": "]"}
    low, high = Value("number", node=parse("-\\infty")), Value("number", node=parse("\\infty"))
    if len(sides) == 2:
        left, right = sides
        relation = relations[0]
        if re.fullmatch(r"\\?[A-Za-z]+", right) and not re.fullmatch(r"\\?[A-Za-z]+", left):
            left, right, relation = right, left, _FLIPPED[relation]
        if not re.fullmatch(r"\\?[A-Za-z]+", left):
            return None
        if relation in below:
            return Value("ordered", (low, _number(right)), "(" + above[relation])
        if relation in (">", "\\ge"):
            return Value("ordered", (_number(right), high), below[_FLIPPED[relation]] + ")")
        return None
    if len(sides) == 3 and set(relations) <= {"<", "\\le"}:
        ends = below[relations[0]] + above[relations[1]]
        return Value("ordered", (_number(sides[0]), _number(sides[2])), ends)
    return None


def _number(text: str) -> Value:
    return Value("number", node=parse(text), text=text)


def _split(text: str, mark: str) -> list[str]:
    """At marks outside all brackets."""
    parts, depth, start, i = [], 0, 0, 0
    while i < len(text):
        if text.startswith(("\\{", "\\}"), i):
            depth += 1 if text[i + 1] == "{" else -1
            i += 2
            continue
        if text[i] in "([{":
            depth += 1
        elif text[i] in ")]}":
            depth -= 1
        elif depth == 0 and text.startswith(mark, i):
            parts.append(text[start:i])
            start = i + len(mark)
            i = start
            continue
        i += 1
    return [*parts, text[start:]]


def _balanced(text: str) -> bool:
    depth = 0
    for char in text.replace("\\{", "(").replace("\\}", ")"):
        depth += (char in "([{") - (char in ")]}")
        if depth < 0:
            return False
    return depth == 0


def _same(gold: Value, answer: Value) -> bool:
    if gold.kind == "equation" or answer.kind == "equation":
        return _same_equation(gold, answer)
    if {gold.kind, answer.kind} == {"list", "union"}:  # x < 1 or x > 3
        return len(gold.parts) == len(answer.parts) and _matched(gold.parts, answer.parts)
    if gold.kind != answer.kind:
        return _same_choice(gold, answer)
    if gold.kind == "number":
        assert gold.node is not None
        assert answer.node is not None
        return same_value(gold.node, answer.node)
    if gold.kind in ("based", "words"):
        return gold.text == answer.text != ""
    if len(gold.parts) != len(answer.parts) or gold.brackets != answer.brackets:
        return False
    if gold.kind in ("list", "union"):
        return _matched(gold.parts, answer.parts)
    return all(_same(a, b) for a, b in zip(gold.parts, answer.parts, strict=True))


def _same_choice(one: Value, other: Value) -> bool:
    """(C) and C."""
    letter, symbol = (one, other) if one.kind == "words" else (other, one)
    return letter.kind == "words" and len(letter.text) == 1 and symbol.text.strip().lower() == letter.text


def _matched(gold: Sequence[Value], answer: Sequence[Value]) -> bool:
    """In any order."""
    left = list(answer)
    for part in gold:
        found = next((i for i, other in enumerate(left) if _same(part, other)), None)
        if found is None:
            return False
        left.pop(found)
    return True


def _same_equation(gold: Value, answer: Value) -> bool:
    """x = 5 is 5; two equations are the same when one is a multiple of the other."""
    if gold.kind == answer.kind:
        differences = [_difference(one) for one in (gold, answer)]
        constant = not any(symbols(one.parts[1].node) for one in (gold, answer) if one.parts[1].node)
        if constant and _named(gold) and _named(answer) and _name(gold) != _name(answer):
            return False
        return _multiple(*differences)
    equation, other = (gold, answer) if gold.kind == "equation" else (answer, gold)
    if not _named(equation):
        return False
    return _same(other, equation.parts[1]) if equation is answer else _same(equation.parts[1], other)


def _named(equation: Value) -> bool:
    """Whether its left side is a name, such as x or f(2)."""
    return bool(
        re.fullmatch(r"\s*\\?[A-Za-z]+(?:_\{?\w+\}?)?'?\s*(?:\([^()]*\))?\s*", equation.parts[0].text)
    )


def _name(equation: Value) -> str:
    return bare(equation.parts[0].text)


def _difference(equation: Value) -> Node:
    left, right = (part.node for part in equation.parts)
    assert left is not None
    assert right is not None
    return Node("-", (left, right))


def _multiple(one: Node, other: Node) -> bool:
    names = sorted(symbols(one))
    if not names or names != sorted(symbols(other)):
        return same_value(one, other)
    ratios = []
    for shift in range(len(_POINTS) + 1):
        point = {
            name: _POINTS[(shift + i) % len(_POINTS)] + 0.17 * shift + 0.31 * i
            for i, name in enumerate(names)
        }
        a, b = at(one, point), at(other, point)
        if abs(b) < _CLOSE:
            return abs(a) < _CLOSE
        ratios.append(a / b)
    return all(cmath.isclose(ratio, ratios[0], rel_tol=1e-7) for ratio in ratios) and abs(ratios[0]) > _CLOSE


def same_value(one: Node, other: Node) -> bool:
    """Exactly where both are fractions, else to 1e-9 at points. Raises NotRead where there is no value to compare."""
    values = [_exact_or_none(node) for node in (one, other)]
    if values[0] is not None and values[1] is not None:
        if values[0] == values[1]:
            return True
        big = abs(values[0] - values[1]) / max(abs(values[0]), abs(values[1]))
        return _decimal(one, other) and big < _CLOSE
    names = symbols(one)
    if names != symbols(other):
        return False
    points = _POINTS if names else _POINTS[:1]
    found = False
    for shift, first in enumerate(points):
        point = {name: complex(first + 0.4142 * i + 0.1 * shift * i) for i, name in enumerate(sorted(names))}
        a, b = at(one, point), at(other, point)
        if cmath.isinf(a) or cmath.isinf(b):
            if a != b:
                return False
        elif not cmath.isclose(a, b, rel_tol=_CLOSE, abs_tol=_NOISE):
            return False
        found = True
    return found


def _exact_or_none(node: Node) -> Fraction | None:
    try:
        return exact(node)
    except (NotRead, RecursionError, OverflowError):
        return None


def _decimal(one: Node, other: Node) -> bool:
    """Whether one of two different fractions is a decimal with at least ten digits: it may be rounded."""
    return any(isinstance(node.value, Fraction) and node.value.denominator >= 10**9 for node in (one, other))
