r"""Grades as the power-sampling paper did, its faults included: the rules of openai/prm800k's grader, written anew.

Two answers are the same when they are one text after the normaliser of the MATH benchmark, or after a second one, or
are the same element by element. So 2/4 is not 1/2, 2^{10} is not 1024, a list has an order, and a cube root is a
square root. Whoever wants the value of an answer takes `verdicts.grade_math`; this one is for comparing with the paper.

Two deviations. Thoughts are left out before the rules apply; the paper's models had none. Where the original calls
sympy, which runs the model's text as a program and may never come back, our own equality compares two expressions, at
points where they have unknowns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from localpower.grading.expression import NotRead, parse
from localpower.grading.latex import LONGEST
from localpower.grading.thoughts import of_what_is_said
from localpower.grading.verdicts import NONE, Verdict
from localpower.grading.worth import same_value

_LONGEST = 10 * LONGEST  # longer answers are compared as they are
_BRACE = re.compile("[{}]")
_BRACKETS = "()[]"
_WRAPPED = re.compile(r"\\text\{(.+)\}")

_BENCHMARK = (
    *(("\n", ""), (r"\!", ""), ("\\\\", "\\"), ("tfrac", "frac"), ("dfrac", "frac")),
    *((r"\left", ""), (r"\right", ""), (r"^{\circ}", ""), (r"^\circ", ""), (r"\$", "")),
)
_UNIT = r"\text{ "  # with a blank: how MATH writes units

_SECOND = (
    *((r"\%", ""), (r"\$", ""), ("$", ""), ("%", ""), (" or ", " , "), (" and ", " , ")),
    *(("million", "*10^6"), ("billion", "*10^9"), ("trillion", "*10^12")),
)
_UNITS = re.compile(
    "(?:degree|cm|centimeter|meter|mile|second|minute|hour|day|week|month|year|foot|feet|inch|yard)"
    r"(?:es)?s? *(?:\^[0-9]+)?"
)
_DEGREES = re.compile(r"\^ *\\circ")
_MIXED = re.compile(r"([0-9]) +([0-9])")
_THOUSANDS = re.compile(r"([0-9]),([0-9]{3})($|[^0-9])")
_FRACTION = re.compile(r"-?[0-9]+.?/0*[1-9][0-9]*.?")
_BIG_POWER = r"\^[{(]|\^[0-9]+\^|\^[0-9]{2}"  # sympy might hang
_UNREAD = r"sqrt[^(]|\.[0-9]{9}"  # not read, or not the same number, in sympy; our own equality is kinder
_LEFT_ALONE = re.compile(f"{_BIG_POWER}|{_UNREAD}")

_TOKEN = re.compile(r"\\[A-Za-z]+\s*|\\.|.", re.DOTALL)
_WORDS = {r"\pi": "pi", r"\infty": "inf", r"\cup": "u", r"\cdot": "*", r"\times": "*", r"\\": ";"}
_CHARS = {r"\le": "≤", r"\leq": "≤", r"\ge": "≥", r"\geq": "≥", r"\ne": "≠", r"\neq": "≠", r"\circ": "∘"}
_SIGNS = _WORDS | _CHARS | {r"\pm": "±", r"\in": "∈"}
_BLANK = {r"\,", r"\;", r"\:", "\\", r"\quad", r"\qquad", "&", "~"}
_SILENT = re.compile(
    r"\\(?:!|left|right|big|Big|displaystyle|overline|vec|binom|boxed|operatorname|math[a-z]+|text[a-z]*)"
)
_BEGIN, _END = r"\begin", r"\end"


@of_what_is_said
def grade_paper(gold: str, *, answer: str | None = None, completion: str | None = None) -> Verdict:
    """An answer by itself, or the one in a completion's last box; none without it."""
    found = (answer if answer is not None else _boxed(completion or "") or "").strip()
    if not found:
        return NONE
    return Verdict("right" if _same(gold.strip(), found) else "wrong", found)


def _boxed(text: str) -> str | None:
    r"""What the last \boxed holds, if a brace follows and is closed; \fbox holds nothing. Escaped braces count."""
    start = text.rfind(r"\boxed") + len(r"\boxed")
    if r"\boxed" not in text or not text.startswith("{", start):
        return None
    depth = 0
    for brace in _BRACE.finditer(text, start):
        depth += 1 if brace.group() == "{" else -1
        if depth == 0:
            return text[start + 1 : brace.start()]
    return None


def _same(gold: str, answer: str) -> bool:
    if max(len(gold), len(answer)) > _LONGEST:
        return gold == answer
    if _benchmark(gold) == _benchmark(answer):
        return True
    gold, answer = _second(gold), _second(answer)
    if gold == answer or not gold or not answer:
        return gold == answer
    parts, others = _elements(gold), _elements(answer)
    if len(parts) > 1 and (gold[0], gold[-1]) != (answer[0], answer[-1]):
        return False
    return len(parts) == len(others) and all(map(_same_element, parts, others))


def _benchmark(text: str) -> str:
    r"""The normaliser of the MATH benchmark (Hendrycks et al.). What follows two \text{ is left as it was."""
    if wrapped := _WRAPPED.fullmatch(text):
        text = wrapped.group(1).strip()
    before = text
    for old, new in _BENCHMARK:
        text = text.replace(old, new)
    if text.count(_UNIT) > 1:
        return before
    text = text.split(_UNIT)[0].replace(r"\%", "").replace(" .", " 0.").replace("{.", "{0.")
    if text.startswith("."):
        text = "0" + text
    name, _, value = text.partition("=")
    if value and "=" not in value and len(name) <= 2:
        text = value
    text = re.sub(r"\\sqrt([^{])", r"\\sqrt{\1}", text).replace(" ", "")
    text = re.sub(r"\\frac([^{])([^{])", r"\\frac{\1}{\2}", text)
    text = re.sub(r"\\frac([^{])\{", r"\\frac{\1}{", text)
    if text == "0.5":
        return r"\frac{1}{2}"
    number = "(-?[1-9][0-9]*|0)"
    return re.sub(f"^{number}/{number}$", r"\\frac{\1}{\2}", text)


def _second(text: str) -> str:
    """The grader's own normaliser: no units, degrees, percent or dollar signs; LaTeX as text; lower case."""
    if wrapped := _WRAPPED.fullmatch(text):
        text = wrapped.group(1)
    for old, new in _SECOND:
        text = text.replace(old, new)
    text = _DEGREES.sub("", _UNITS.sub("", text))
    text = re.sub(r",\\! *", "", text)
    if "\\" in text:
        text = _without_latex(text)
    text = _MIXED.sub(r"\1+\2", re.sub("- *", "-", text))
    text = re.sub("[ {}]", "", text).lower()
    whole = _integer(text)
    return text if whole is None else str(whole)


def _without_latex(text: str) -> str:
    """As plain text; as it is where a fraction or root lacks something."""
    text = re.sub(r"\\[td]?frac", r" \\frac", text)  # the blank makes mixed numbers
    try:
        return _plain(iter(_TOKEN.findall(text))).strip(" ;")
    except (StopIteration, RecursionError):
        return text


def _plain(tokens: Iterator[str]) -> str:
    """Up to a closing brace, or to the end."""
    parts = []
    for token in tokens:
        if token == "}":
            break
        parts.append(_as_text(token, tokens))
    return "".join(parts)


def _as_text(token: str, tokens: Iterator[str]) -> str:
    """A token and what it takes. The top of a fraction gets no brackets, as in the original."""
    name = token.strip()
    if name == "{":
        return _plain(tokens)
    if name == r"\frac":
        return f"{_argument(tokens)}/{_argument(tokens)}"
    if name == r"\sqrt":
        token = next(tokens)
        while token == "[":
            while next(tokens) != "]":
                pass
            token = next(tokens)
        return f"sqrt({_as_text(token, tokens)})"
    if name in (_BEGIN, _END):  # of a matrix, whatever its brackets
        _argument(tokens)
        return "[" if name == _BEGIN else "]"
    if name == r"\mbox":
        _argument(tokens)
        return ""
    if _SILENT.fullmatch(name):
        return ""
    return " " if not name or name in _BLANK else _SIGNS.get(name, name.removeprefix("\\"))


def _argument(tokens: Iterator[str]) -> str:
    return _as_text(next(token for token in tokens if not token.isspace()), tokens)


def _integer(text: str) -> int | None:
    """The whole number that a text is when read as a float; None for others."""
    try:
        value = float(_no_thousands(text))
        whole = round(value)
    except (ValueError, OverflowError):
        return None
    return whole if abs(value - whole) <= 1e-7 else None


def _no_thousands(text: str) -> str:
    while (shorter := _THOUSANDS.sub(r"\1\2\3", text)) != text:
        text = shorter
    return text


def _elements(text: str) -> list[str]:
    """Of a tuple or interval, the brackets of which may be any."""
    text = _no_thousands(text)
    inside = text[1:-1]
    if inside and text[0] in _BRACKETS and text[-1] in _BRACKETS and not any(c in inside for c in _BRACKETS):
        return inside.split(",")
    return [text]


def _same_element(gold: str, answer: str) -> bool:
    """Fractions as text, so that they have to be reduced; an integer only as one; the rest by value, where simple."""
    if _FRACTION.fullmatch(gold) and _FRACTION.fullmatch(answer):
        return gold == answer
    if (_integer(gold) is None) != (_integer(answer) is None):
        return False
    both = f"{gold} {answer}"
    letters = {char for char in both.replace("sqrt", "").replace("frac", "") if char.isalpha()}
    if len(letters) > 2 or _LEFT_ALONE.search(both):
        return False
    try:
        return same_value(*(parse(re.sub("e|(?<!p)i", _unknown, text)) for text in (gold, answer)))
    except (NotRead, RecursionError):
        return False


def _unknown(letter: re.Match[str]) -> str:
    """The texts are in lower case, where sympy knows neither e nor i: the capitals are unknowns to us."""
    return letter.group().upper()
