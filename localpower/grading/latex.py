"""LaTeX as people write answers, brought to one plain spelling that expression.py can read."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

LONGEST = 400  # characters of an answer that is read as mathematics

FUNCTIONS = (
    *("arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "sech", "csch", "coth"),
    *("sin", "cos", "tan", "sec", "csc", "cot", "log", "ln", "exp"),
)
_GREEK_LETTERS = {
    char: unicodedata.name(char).split()[-1].replace("LAMDA", "lambda").lower()
    for char in "αβγδεζηθκλμνξρστφχψω"
} | {"Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ω": "Omega", "ϕ": "varphi", "ℓ": "ell"}
GREEK = tuple(_GREEK_LETTERS.values())
_SIGNS = {
    **dict.fromkeys("−–—‐‑－", "-"),
    **dict.fromkeys("·⋅∙", r"\cdot "),
    **dict.fromkeys("÷∕⁄", "/"),
    **dict.fromkeys("≈≃", r"\approx "),
    **dict.fromkeys("\u2009\u202f\u200b\u2061\ufeff", ""),  # thin or without any width
    **dict.fromkeys("’′", "'"),
    **{"π": r"\pi ", "∞": r"\infty ", "±": r"\pm ", "∓": r"\mp ", "°": r"^\circ ", "∅": r"\emptyset "},
    **{"≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "∪": r"\cup ", "∈": r"\in ", "×": r"\times ", "∗": "*"},
    **dict.fromkeys("€£¥₹¢", ""),
    **{"\u00a0": " ", "，": ","},
}
_VULGAR = {char: Fraction(unicodedata.numeric(char)).limit_denominator(10) for char in "½¼¾⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"}
_CHARACTERS = str.maketrans(
    _SIGNS
    | {char: rf"\{name} " for char, name in _GREEK_LETTERS.items()}
    | {char: rf"\frac{{{value.numerator}}}{{{value.denominator}}}" for char, value in _VULGAR.items()}
)
_RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]+")
_ON_THE_LINE = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_SPACES = r"(?:q?quad|enspace|enskip|space|nobreakspace|(?:thin|med|thick)space)(?![A-Za-z])|[hm]space\*?\s?\{[^{}]*\}"
_DROPPED = re.compile(
    rf"\\(?:{_SPACES}|h?phantom\s?\{{[^{{}}]*\}}|(?:text)?color\s?\{{\w*\}}"
    r"|(?:left|right|middle|[bB]ig{1,2}[lrm]?|(?:display|text|script|scriptscript)style|(?:no)?limits|negthinspace"
    r"|mathopen|mathclose|bf|rm|it)(?![A-Za-z]))"
    r"|\\[!,;:> ]|(?<!\\)~|\\\$|(?<!\\)\$|\\\(|\\\)|\\\[|\\\]"
)
_SPACE = re.compile(rf"\\(?:{_SPACES})|\\ |~")
_THOUSANDS = re.compile(r"(?:\{,\}|,)\s*(?:\\!\s*)+|\{,\}")
_ONE_SPELLING = {
    "frac": r"[dtc]frac|[sn]?icefrac|sfrac",
    "le ": "leq|leqslant|leqq|le",
    "ge ": "geq|geqslant|geqq|ge",
    "ne ": "neq|ne",
    "approx ": "approx|approxeq|thickapprox|simeq|doteq|fallingdotseq",
    "emptyset ": "varnothing|emptyset",
    "infty ": "infin|infty",
    "cup ": "cup",
    "setminus ": "setminus|smallsetminus|backslash",
    "log": "lg",
    "{": "lbrace",
    "}": "rbrace",
}
_SPELLINGS = [(re.compile(rf"\\(?:{old})(?![A-Za-z])"), new) for new, old in _ONE_SPELLING.items()]
_DEGREE = r"(?:\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![A-Za-z]))|\\degrees?(?![A-Za-z]))"
_DEGREES = re.compile(rf"{_DEGREE}(?:\s*[CF](?![A-Za-z]))?")
_ANGLE = re.compile(  # of a function
    rf"(\\?(?<![A-Za-z])(?:sin|cos|tan|sec|csc|cot)(?:\s*\^\s*\{{?\d\}}?)?\s*[({{]?\s*)(\d+(?:\.\d+)?)\s*{_DEGREE}"
)
_ORDINAL = re.compile(r"(?<=\d)\s?\^\s?\{\s?\\text\w*\s?\{(?:st|nd|rd|th)\}\s?\}")
_TWICE = re.compile(r"(?<!\\)\{\s?\{([^{}]*)\}\s?\}")
_REPEATED = re.compile(r"(?<=[\d.])\\(?:bar|dot)\s*\{")
_OVER = re.compile(r"(?:\{|^)([^{}]+)\\(over|choose)(?![A-Za-z])([^{}]+)(?:\}|$)")
_WRAPPER = re.compile(
    r"\\(?:text[a-z]*|[mh]box|emph|underline|math(?:rm|bf|it|sf|tt|normal)|operatorname\*?|boldsymbol|bm)\s*\{([^{}]*)\}"
)
_UNIT_POWER = r"(?:\s*\^\s*(?:\{\s*-?\d\s*\}|\d))?"
_UNIT = rf"\\(?:text(?:rm|normal|up)?|mathrm|[mh]box)\s*\{{[^{{}}]*\}}{_UNIT_POWER}"
_UNIT_WRAPPED = re.compile(
    rf"(?:(?<=[\d}})\]])|(?<=\\pi))\s*(?:{_UNIT}(?:\s{{0,9}}(?:(?:/|\\cdot)\s{{0,9}})?{_UNIT})*"
    rf"|\\frac\s*\{{{_UNIT}\}}\s*\{{{_UNIT}\}})(?=\s*(?:$|[.,;]))"
)
_UNIT_LETTER = re.compile(rf"(?<=\d)\s(?:m|g|s|h|L|N|J|W|V|K)(?:/(?:m|s|h|L))?{_UNIT_POWER}$")
_NO_UNITS = {
    *FUNCTIONS,
    *("sqrt", "pi", "and", "or", "infty", "infinity", "inf", "frac", "cdot", "times", "mod", "union"),
    *("to", "if", "pm", "approx", "is", "are", "not", "plus", "minus", "divided"),
    *("over", "choose", "factorial"),
    *("squared", "cubed", "more", "less", "dozen", "hundred", "thousand", "million", "billion", "trillion"),
}
_UNIT_WORD = re.compile(
    r"(?:(?<=[\d})])|(?<=\\pi))\s+((?:(?:square|cubic|per|sq\.)\s+)?"
    r"[A-Za-z]{2,}(?:[ /]+[A-Za-z]{2,}|/[a-z](?![A-Za-z]))*)" + _UNIT_POWER + r"\.?$"
)
_GLUED_UNIT = re.compile(
    r"(?<=\d)(?:st|nd|rd|th|cm|mm|km|kg|mph|ft|lbs?|ml|hrs?|mins?|secs?)" + _UNIT_POWER + r"\.?$"
)
_ROOT = re.compile(r"([√∛])\s*(\d+(?:\.\d+)?|\([^()]*\)|[A-Za-z])")
_ROW = "\x00"  # a line break of a matrix, kept from what begins with a backslash
_SCALES = {"hundred": "10^2", "thousand": "10^3", "million": "10^6", "billion": "10^9", "trillion": "10^12"}
_MIXED = re.compile(r"(?<![\w.^/}])(\d+)\s+(\d+)\s*/\s*(\d+)(?![\w.^!])")
_ABOUT = re.compile(
    r"^(?:(?i:approximately|approx\.?|about|roughly|around|exactly)\s|\\approx |\\sim(?![A-Za-z]))\s*(?=[-\d\\.])"
)

_QUOTES = re.compile(r"(?<![\w)])[\"'`]+([^\"'`]*)[\"'`]+")
_ONE = re.compile(r"(?<!\\)\{\s*(\w)\s*\}")


def plain(text: str) -> str:
    """One spelling: no dollars, spacing macros, wrappers, units after a number, degrees, percent signs, final stops."""
    text = text.strip().strip("*").strip()
    text = _RAISED.sub(lambda m: f"^{{{m.group().translate(_ON_THE_LINE)}}}", text.translate(_CHARACTERS))
    text = _ROOT.sub(lambda m: rf"\sqrt{'[3]' * (m[1] == '∛')}{{{m[2]}}}", text)
    text = _THOUSANDS.sub(",", text).replace(r"\,\!", "").replace(r"\\!", "")
    text = re.sub(r"(?:\\\\\s*)+$", "", text).replace("\\\\", _ROW)
    text = _DROPPED.sub(lambda m: " " if _SPACE.fullmatch(m.group()) else "", text)
    for old, new in _SPELLINGS:
        text = old.sub(rf"\\{new}", text)
    text = re.sub(r"\\[lr]?vert(?![A-Za-z])", "|", text).replace(r"\{\}", r"\emptyset ")
    text = _REPEATED.sub(r"\\overline{", _OVER.sub(_fraction, text))
    text = _DEGREES.sub("", _ANGLE.sub(r"\1{\2\\pi/180}", text)).replace(r"\%", "").replace("%", "")
    text = re.sub(r"\\lt(?![A-Za-z])", "<", re.sub(r"\\gt(?![A-Za-z])", ">", text))
    text = text.replace("<=", r"\le ").replace(">=", r"\ge ")
    for word, power in _SCALES.items():
        text = re.sub(rf"(?<=\d)\s*(?:\\text\{{\s*)?{word}s?\b\s*\}}?", rf"*{power}", text)
    text = _stops(_ORDINAL.sub("", _TWICE.sub(r"{\1}", text)))
    text = _UNIT_WRAPPED.sub(_unless_words, text)
    for _ in range(4):  # wrappers in wrappers
        text, n = _WRAPPER.subn(
            lambda m: m.group(1) if len(m.group(1).strip()) == 1 else f" {m.group(1)} ", text
        )
        if not n:
            break
    text = _stops(text)
    text = _UNIT_WORD.sub(_unless_functions, text)
    text = _ABOUT.sub("", _MIXED.sub(_mixed, _GLUED_UNIT.sub("", text)).strip())
    return re.sub(r"\s+", " ", text).replace(_ROW, "\\\\").strip()


def without_unit(text: str) -> str:
    """5 of 5 m/s. Where symbols may be meant, nobody can tell: 5 m may be 5m."""
    return _UNIT_LETTER.sub("", plain(text))


def _fraction(match: re.Match[str]) -> str:
    """The old form of a fraction or binomial, in braces or all of the text."""
    top, how, bottom = match.groups()
    return rf"\{'frac' if how == 'over' else 'binom'}{{{top}}}{{{bottom}}}"


def _mixed(match: re.Match[str]) -> str:
    """3 3/4 as 3\frac{3}{4}; what is no proper fraction is left."""
    whole, top, bottom = match.groups()
    return rf"{whole}\frac{{{top}}}{{{bottom}}}" if int(top) < int(bottom) else match.group()


def _stops(text: str) -> str:
    text = text.strip()
    while text.endswith((".", ";", ":")) and not text.endswith(("\\;", "\\:")):
        text = text[:-1].rstrip()
    return text


def _unless_words(match: re.Match[str]) -> str:
    """A unit goes; `and` and `or` are no units, and a single letter may be a symbol such as e."""
    words = (word.strip() for word in re.findall(r"\{([^{}]*)\}", match.group()))
    kept = any(re.fullmatch(r"(?i:and|or|,)|[ei]", word) for word in words)
    return match.group() if kept else ""


def _unless_functions(match: re.Match[str]) -> str:
    words = re.findall(r"[A-Za-z]+", match.group(1).lower())
    return match.group() if any(word in _NO_UNITS for word in words) else ""


def bare(text: str) -> str:
    r"""For comparing as words: plain, lower case, no quotes, blanks only between digits, no braces around one letter or
    digit. Of others they are kept: \frac{1}{23} is not \frac{12}{3}.
    """
    text = _QUOTES.sub(r"\1", _ONE.sub(r"\1", plain(text)))
    return re.sub(r"(?<!\d)\s+|\s+(?!\d)", "", text).lower()
