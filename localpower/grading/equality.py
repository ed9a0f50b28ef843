"""Whether an answer is the wanted one, by value."""

from __future__ import annotations

import cmath
import re
from collections.abc import Sequence

from localpower.grading.expression import Node, NotRead
from localpower.grading.latex import LONGEST, bare, without_unit
from localpower.grading.reading import LABEL, Value, read
from localpower.grading.worth import CLOSE, POINTS, at, same_value, symbols


def equal(gold: str, answer: str) -> bool:
    """Whether the answer has the wanted value. Never raises; texts beyond the caps are compared as words."""
    if len(gold) > 10 * LONGEST or len(answer) > 10 * LONGEST:
        return gold.strip() == answer.strip()
    if gold.strip() == answer.strip() or bare(gold) == bare(answer) != "":
        return True
    if not re.search(r"[A-Za-z]", re.sub(r"\\[A-Za-z]+", "", gold)):
        answer = without_unit(answer)
    try:
        return _same(read(gold), read(answer))
    except (NotRead, RecursionError):
        return False


def numbers(text: str) -> int:
    """How many numbers, or expressions of one, a text lists; 0 where a word or letter is beside them."""
    if len(text) > LONGEST:
        return 0
    if any(
        map(str.isalpha, re.sub(r"\\[a-zA-Z]+|\b(?:or|and|hundred|thousand|[mb]illion|trillion)\b", "", text))
    ):
        return 0
    try:
        found = read(text)
    except (NotRead, RecursionError):
        return 0
    parts = found.parts if found.kind in ("list", "ordered") else (found,)
    return len(parts) if all(part.kind == "number" for part in parts) else 0


def _same(gold: Value, answer: Value) -> bool:
    if gold.kind == "equation" or answer.kind == "equation":
        return _same_equation(gold, answer)
    if {gold.kind, answer.kind} == {"list", "union"}:  # x < 1 or x > 3
        return len(gold.parts) == len(answer.parts) and _matched(gold.parts, answer.parts)
    if gold.kind != answer.kind and "list" in (gold.kind, answer.kind):  # a set of one, and that one
        one, other = (gold, answer) if gold.kind == "list" else (answer, gold)
        return len(one.parts) == 1 and _same(one.parts[0], other)
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
    if gold.kind == "equation":
        return _named(gold) and _same(gold.parts[1], answer)
    left = answer.parts[0].text.strip()
    return bool(_named(answer) or LABEL.fullmatch(left)) and _same(gold, answer.parts[1])


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
    for shift in range(len(POINTS) + 1):
        place = [POINTS[(shift + i) % len(POINTS)] + 0.17 * shift + 0.31 * i for i in range(len(names))]
        point = dict(zip(names, place, strict=True))
        a, b = at(one, point), at(other, point)
        if abs(b) < CLOSE:  # no ratio here
            if abs(a) < CLOSE:
                continue
            return False
        ratios.append(a / b)
    same = all(cmath.isclose(ratio, ratios[0], rel_tol=1e-7) for ratio in ratios)
    return bool(ratios) and same and abs(ratios[0]) > CLOSE
