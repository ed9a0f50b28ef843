"""LaTeX as people write answers, brought to one plain spelling that expression.py can read."""

from __future__ import annotations

import re

LONGEST = 400  # characters of an answer that is read as mathematics

_CHARACTERS = str.maketrans(
    {
        "−": "-",
        "–": "-",
        "—": "-",
        "×": r"\times ",
        "·": r"\cdot ",
        "⋅": r"\cdot ",
        "÷": "/",
        "∕": "/",
        "π": r"\pi ",
        "θ": r"\theta ",
        "∞": r"\infty ",
        "±": r"\pm ",
        "≤": r"\le ",
        "≥": r"\ge ",
        "≠": r"\ne ",
        "∪": r"\cup ",
        "∈": r"\in ",
        "°": r"^\circ ",
        "²": "^2",
        "³": "^3",
        "½": r"\frac{1}{2}",
        "¼": r"\frac{1}{4}",
        "¾": r"\frac{3}{4}",
        "\u00a0": " ",
        "，": ",",
        "’": "'",
    }
)
_DROPPED = re.compile(
    r"\\(?:left|right|displaystyle|textstyle|bigl|bigr|Bigl|Bigr|big|Big|limits|quad|qquad|mathopen|mathclose)"
    r"(?![A-Za-z])|\\[!,;:> ]|(?<!\\)~|\\\$|(?<!\\)\$|\\\(|\\\)|\\\[|\\\]"
)
_FRACTION = re.compile(r"\\[dtc]frac(?![A-Za-z])")
_DEGREES = re.compile(r"\^\s*\{?\s*\\circ\s*\}?|\\degrees?(?![A-Za-z])")
_WRAPPER = re.compile(
    r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mathit|mathsf|mbox|hbox|operatorname\*?)\s*\{([^{}]*)\}"
)
_UNIT_POWER = r"(?:\s*\^\s*(?:\{\s*-?\d\s*\}|\d))?"
_UNIT_WRAPPED = re.compile(
    r"(?<=[\d})\]])\s*\\(?:text|textrm|mathrm|mbox|hbox)\s*\{([^{}]*)\}" + _UNIT_POWER + r"(?=\s*(?:$|[.,;]))"
)
_FUNCTIONS = {
    *("sin", "cos", "tan", "sec", "csc", "cot", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh"),
    *("ln", "log", "exp", "sqrt", "pi", "and", "or", "infty", "frac", "cdot", "times", "mod", "union", "inf"),
    *("to", "if", "pm", "million", "billion", "thousand", "infinity", "times"),
}
_UNIT_WORD = re.compile(
    r"(?<=[\d})])\s+((?:(?:square|cubic|per)\s+)?[A-Za-z]{2,}(?:[ /]+[A-Za-z]{2,})*)" + _UNIT_POWER + r"\.?$"
)
_GLUED_UNIT = re.compile(r"(?<=\d)(?:cm|mm|km|kg|mph|ft|lbs?|ml|hrs?|mins?|secs?)" + _UNIT_POWER + r"\.?$")
_ROOT = re.compile(r"√\s*(\d+(?:\.\d+)?|\([^()]*\)|[A-Za-z])")
_ROW = "\x00"  # a line break of a matrix, kept from what begins with a backslash
_SCALES = {"thousand": "10^3", "million": "10^6", "billion": "10^9"}


def plain(text: str) -> str:
    """One spelling: no dollars, spacing macros, wrappers, units after a number, degrees, percent signs, final stops."""
    text = text.strip().strip("*").strip()
    text = _ROOT.sub(r"\\sqrt{\1}", text.translate(_CHARACTERS))
    text = text.replace("{,}", ",").replace(r"\,\!", "").replace(r",\!", ",").replace(r"\\!", "")
    text = re.sub(r"(?:\\\\\s*)+$", "", text).replace("\\\\", _ROW)
    text = _DROPPED.sub(
        lambda m: " " if m.group().startswith("\\q") or m.group() in ("~", "\\ ") else "", text
    )
    text = _DEGREES.sub("", _FRACTION.sub(r"\\frac", text))
    text = text.replace(r"\%", "").replace("%", "")
    text = re.sub(r"\\(?:leq?|leqslant)(?![A-Za-z])", r"\\le ", text)
    text = re.sub(r"\\(?:geq?|geqslant)(?![A-Za-z])", r"\\ge ", text)
    text = re.sub(r"\\lt(?![A-Za-z])", "<", re.sub(r"\\gt(?![A-Za-z])", ">", text))
    text = text.replace("<=", r"\le ").replace(">=", r"\ge ")
    text = text.replace(r"\cup", r"\cup ").replace(r"\infin ", r"\infty ")
    for word, power in _SCALES.items():
        text = re.sub(rf"(?<=\d)\s*(?:\\text\{{\s*)?{word}s?\b\s*\}}?", rf"*{power}", text)
    text = _stops(text)
    text = _UNIT_WRAPPED.sub(_unless_words, text)
    for _ in range(4):  # wrappers in wrappers
        text, n = _WRAPPER.subn(
            lambda m: m.group(1) if len(m.group(1).strip()) == 1 else f" {m.group(1)} ", text
        )
        if not n:
            break
    text = _stops(text)
    text = _UNIT_WORD.sub(_unless_functions, text)
    text = _GLUED_UNIT.sub("", text)
    return re.sub(r"\s+", " ", text).replace(_ROW, "\\\\").strip()


def _stops(text: str) -> str:
    text = text.strip()
    while text.endswith((".", ";", ":")) and not text.endswith(("\\;", "\\:")):
        text = text[:-1].rstrip()
    return text


def _unless_words(match: re.Match[str]) -> str:
    """A unit goes; `and` and `or` are no units, and a single letter may be a symbol such as e."""
    word = match.group(1).strip()
    joins = re.fullmatch(r"(?i)(?:and|or|,)?", word)
    return match.group() if joins or word in ("e", "i") else ""


def _unless_functions(match: re.Match[str]) -> str:
    words = re.findall(r"[A-Za-z]+", match.group(1).lower())
    return match.group() if any(word in _FUNCTIONS for word in words) else ""


def bare(text: str) -> str:
    """For comparing as words: plain, lower case, no blanks, braces or quotes."""
    return re.sub(r"[\s{}\"'`]", "", plain(text)).lower()
