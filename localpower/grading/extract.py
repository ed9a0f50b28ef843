"""The answer in a text: a box, a line that announces it, a number, a letter. Linear in the length of the text."""

from __future__ import annotations

import re

_BOX = re.compile(r"\\(?:boxed|fbox)(?![A-Za-z])[ \t]*")
_TOKEN = re.compile(r"-?\d+(?:\.\d+)?|\\[A-Za-z]+|[^\s{}\\$]")
_FINAL = re.compile(r"(?i)\banswer\s{0,9}(?:is\s{0,9}:?|:|=)")
_NUMBER = re.compile(r"-?\$?\d[\d,]*(?:\.\d+)?|-?\$?\.\d+")
_DRESS = r"[\s*$({]{0,9}(?:\\(?:text|math)[a-z]{0,6}\{)?\(?"  # what a letter may be wrapped in
_LETTER = re.compile(
    r"(?:[Aa]nswer|ANSWER)(?:\s{1,9}is)?\s{0,9}:?(?:\s{1,9}(?:option|choice))?"
    + _DRESS
    + r"([A-D])(?![A-Za-z-])(?!(?<=A)\s{1,9}(?!is\b|as\b|and\b|since\b|because\b)[a-z])"
)  # "answer: A good way" has an article, no letter
_ALONE = re.compile(r"[\s*(]{0,9}([A-D])[\s*).]{0,9}")
_EQUATION = re.compile(r"[\d\s.,$()*/^×÷+-]{1,99}=\s{0,9}(?=-?\$?[\d.])")
_RUN_ON = re.compile(r"\n[ \t]{0,9}(?:Question|Problem|Q)[ \t]{0,9}:")
_LETTER_BOX = 200  # characters of a box in which a letter is looked for
_NESTED = 20  # boxes in boxes that are opened


def first_answer(text: str) -> str:
    """The text up to where it runs on into a next problem."""
    return _RUN_ON.split(text, maxsplit=1)[0]


def boxed(text: str) -> str | None:
    r"""What the last complete \boxed or \fbox holds; None without one. A box in a box is opened."""
    ends = _closing(text)
    found: str | None = None
    covered = -1
    for match in _BOX.finditer(text):
        start = match.end()
        if start < covered:  # inside the box that was found last
            continue
        if start < len(text) and text[start] == "{":
            if start in ends:
                found, covered = text[start + 1 : ends[start]], ends[start]
        elif token := _TOKEN.match(text, start):
            found = token.group()
    if found is None:
        return None
    for _ in range(_NESTED):
        inside = _BOX.match(found := found.strip())
        if inside is None or not (found[inside.end() :].startswith("{") and found.endswith("}")):
            break
        found = found[inside.end() + 1 : -1]
    return found.strip() or None


def _closing(text: str) -> dict[int, int]:
    """Places of opening braces that are closed, and where; escaped braces do not count."""
    ends: dict[int, int] = {}
    open_ones: list[int] = []
    for match in re.finditer(r"\\.|[{}]", text, re.DOTALL):
        if match.group() == "{":
            open_ones.append(match.start())
        elif match.group() == "}" and open_ones:
            ends[open_ones.pop()] = match.start()
    return ends


def announced(text: str) -> str | None:
    """The rest of the last line that says what the answer is; None without one."""
    for match in reversed(list(_FINAL.finditer(text))):
        end = text.find("\n", match.end())
        line = text[match.end() : end if end >= 0 else len(text)].strip().strip("*").strip()
        if line:
            return line.removesuffix(".").strip() or None
    return None


def math_answer(text: str) -> str | None:
    """A box, else the line that announces the answer."""
    text = first_answer(text)
    return boxed(text) or announced(text)


def number_answer(text: str) -> tuple[str | None, bool]:
    """GSM8K: after ####, else a box, else an announced number, else the last number (lenient: True).

    Of an equation in a box or announced, what it comes to.
    """
    text = re.sub(r"(?<=\d)(?:\{,\}|\\[,!])(?=\d)", "", first_answer(text).replace("−", "-"))
    marked = text.rsplit("####", 1)[1].strip().split("\n", 1)[0] if "####" in text else ""
    for source in (marked, _result(boxed(text) or ""), _result(announced(text) or "")):
        numbers = _NUMBER.findall(source)
        if numbers:
            return _plain(numbers[0]), False
    numbers = _NUMBER.findall(text)
    return (_plain(numbers[-1]), True) if numbers else (None, False)


def _result(said: str) -> str:
    """Of an equation such as 5^2 = 25 what it comes to."""
    equation = _EQUATION.match(said)
    return said[equation.end() :] if equation else said


def _plain(number: str) -> str:
    return number.replace("$", "").replace(",", "").rstrip(".")


def letter_answer(text: str) -> str | None:
    r"""GPQA: the letter A to D of the last box that begins with one alone, else of the last "answer is (X)".

    Else the text itself, where it is nothing but a letter.
    """
    text = first_answer(text)
    ends = _closing(text)
    found = None
    for match in _BOX.finditer(text):
        start = match.end()
        content = (
            text[start + 1 : min(ends[start], start + _LETTER_BOX)]
            if start in ends
            else text[start : start + 2]
        )
        bare = re.sub(r"\\(?:text[a-z]*|math[a-z]*|mbox)\s*|[{}()\[\]\s$*]", "", content)
        if re.match(r"[A-D](?![A-Za-z])", bare):
            found = bare[0]
    if found is None:
        letters = _LETTER.findall(text)
        alone = _ALONE.fullmatch(text)
        found = letters[-1] if letters else alone.group(1) if alone else None
    return found
