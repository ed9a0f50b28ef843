"""What an answer says: a number, a list, tuple, interval, union, matrix, equation, number in a base, or words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from localpower.grading.expression import Node, NotRead, parse
from localpower.grading.latex import LONGEST, bare, plain
from localpower.grading.worth import at, same_value, symbols

_MOST = 64  # parts of a list or matrix

_SUBJECT = re.compile(  # x \\in, "the answer is"
    r"^\s*(?:\\?[A-Za-z]+(?:\([^()]*\))?\s*\\in(?![A-Za-z])"
    r"|[A-Za-z](?:[A-Za-z ]*\s(?:is|are|equals)(?![A-Za-z]):?|[A-Za-z]{2}[A-Za-z ]*:)(?=[^A-Za-z]*\d))\s*"
)
_THOUSANDS = re.compile(r"(?<![\d.])\d{1,3}(?:,\d{3})+(?![\d,])")
_BASED = re.compile(r"^\(?(-?[0-9A-Za-z]+)\)?\s*_\s*\{?\s*(\d+)\s*\}?$")
_MATRIX = re.compile(
    r"[(\[]?\s*\\begin\s*\{((?:[pbvBV]|small)?matrix|array)\}\s*(?:\{[lcr|]*\})?(.*?)\\end\s*\{\1\}\s*[)\]]?",
    re.DOTALL,
)
_CHOICE = re.compile(r"^\(?\s*([A-Za-z])\s*\)?$")
_RELATION = re.compile(r"\\le(?![A-Za-z])|\\ge(?![A-Za-z])|\\ne(?![A-Za-z])|\\approx(?![A-Za-z])|<|>|=")
_CALL = r"(?:\([^()]*(?:\([^()]*\))?[^()]*\)|\[[^\[\]]*\])"
LABEL = re.compile(  # what an equation may say the value of: AB, \\angle ABC, \\cos A, f'(3), E[X], |z|, a + b, (x, y)
    r"(?!\\(?:sqrt|frac))(?:\\math[a-z]+\{\w\}|[A-Za-z\\][A-Za-z\\ ]*)(?:_\{?\w+\}?)?'{0,3}(?:\^\{?-1\}?)?\s?"
    + _CALL
    + r"?\s?|\|[A-Za-z ]+\||[A-Za-z](?:\s?\+\s?[A-Za-z])+|\([A-Za-z](?:,\s?[A-Za-z])+\)"
)
_GROUPS = (
    *((r"\{", r"\}"), ("{", "}"), ("(", ")"), ("(", "]"), ("[", ")"), ("[", "]")),
    (r"\langle", r"\rangle"),
)
_NEAR = 0.05  # relative: what rounding may change, to one digit even
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


def read(text: str) -> Value:
    """What a text says. Raises NotRead for one that is too long."""
    text = plain(text)
    if len(text) > LONGEST:
        raise NotRead("too long")
    return _list(text)


def _list(text: str) -> Value:
    """Parts between commas; a lone part is itself."""
    text = re.sub(r"(?i)(?<![A-Za-z\\])(?:and|or)(?![A-Za-z])", ",", text)
    text = re.sub(r",\s*,", ",", text.replace(";", ","))
    text = re.sub(r"(?<=[)\]}])\s*U\s*(?=[(\[\\])", r"\\cup ", text)
    if not _has_brackets(text) and _only_thousands(text):
        text = _THOUSANDS.sub(lambda m: m.group().replace(",", ""), text)
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
    both, other = re.compile(r"\\pm(?![A-Za-z])|\+-|\+/-"), re.compile(r"\\mp(?![A-Za-z])")
    return tuple(_part(other.sub(b, both.sub(a, text))) for a, b in (("+", "-"), ("-", "+")))


def _part(text: str) -> Value:
    text = text.strip()
    if not text:
        raise NotRead("nothing")
    text = _SUBJECT.sub("", text)
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
    for left, right in _GROUPS:
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
        if left == "{":
            return Value("list", sum((_spread(part) for part in parts), ()))
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
        try:
            left, right = parse(sides[0]), parse(sides[1])
        except NotRead:
            if LABEL.fullmatch(sides[0]):
                return _part(sides[1])
            raise
        if not symbols(left) and same_value(left, right):  # 5 + 3 = 8 is 8
            return _number(sides[1])
        if not symbols(left):  # 5 = x is x = 5
            sides.reverse()
        return Value("equation", (_number(sides[0]), _number(sides[1])))
    if relations[-1] == "\\approx":
        return _rounded(text.rpartition("\\approx")[0].strip(), sides[-1])
    if set(relations) == {"="}:
        return _part(sides[-1])  # a = b = c: what it comes to
    interval = _interval(sides, relations)
    return interval if interval else Value("words", text=bare(text))


def _rounded(left: str, right: str) -> Value:
    r"""x \approx 11 is x = 11; of \sqrt{2} \approx 1.41 the exact side counts, where the other is near it."""
    if re.fullmatch(r"\\?(?!pi$|e$|i$)[A-Za-z]+(?:_\w|_\{\w+\})?|[A-Za-z]\([^()]*\)", left):
        return _part(f"{left}={right}")
    exact = _part(plain(left))  # without a unit
    node = exact.parts[1].node if exact.kind == "equation" else exact.node
    value = at(node, {}) if node else None
    if value is None or abs(value - at(parse(right), {})) > _NEAR * abs(value):
        raise NotRead("not near")
    return exact


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
    if len(sides) == 3 and set(relations) <= {">", "\\ge"}:
        sides, relations = sides[::-1], [_FLIPPED[each] for each in reversed(relations)]
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
