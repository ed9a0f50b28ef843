"""The answer in a text: a box, a line that announces it, a number. Linear in the length of the text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TypeVar

_T = TypeVar("_T")

_BOX = re.compile(r"\\(?:boxed|fbox)(?![A-Za-z])[ \t]*")
_TOKEN = re.compile(r"-?\d+(?:\.\d+)?|\\[A-Za-z]+|[^\s{}\\$](?![A-Za-z])")
# Of \\boxed{...} and \\boxed{answer}, where the form is told.
_NOTHING = re.compile(r"(?:[\s.…]|\\[lcdv]?dots)*|(?i:(?:your |the )?(?:final )?answer)")
NO_ANSWER = (  # "the answer is not 5", "the answer is found in two steps"
    r"\s{1,9}(?:not|in|(?:in)?correct|right|wrong|obtained|found|given|derived|based|calculated|computed|determined|shown)"
    r"(?![A-Za-z])"
)
ADVERB = (
    r"(?:[ ,]{1,2}(?:therefore|thus|then|indeed|simply|clearly|just|exactly|obviously|definitely|probably"
    r"|(?:most\s)?likely)(?![A-Za-z]))"
)
WRONG = r"(?<![A-Za-z-])(?<!wrong\s)(?<!incorrect\s)(?<!false\s)"  # stands before no answer
_DASH = r"(?:[-–—→]|->|=>)(?=\s)"
_FINAL = re.compile(
    rf"(?im){WRONG}ans(?:wers?)?(?![A-Za-z])(?:[ \t]to[ \t][^\n.:]{{1,40}}?(?=[ \t*_:=]))?[*_\s]{{0,9}}"
    rf"(?:(?:is|are|was|would be|will be|must be|should be|equals)(?![A-Za-z'’])(?!{NO_ANSWER})"
    rf"{ADVERB}?[*\s]{{0,9}}:?|[:=：])"
    rf"|^[#*_> \t]{{0,9}}(?:the[ \t])?(?:final[ \t]|correct[ \t])?(?:answer[*_ \t]{{1,9}}{_DASH}|ans\.(?=\s))"
    r"|^(?:[#*_ \t]{1,9}(?:the[ \t])?(?:final[ \t])?|(?:the[ \t])?final[ \t])answer[*_ \t]{0,9}$"  # a heading
)
_SENTENCE_END = re.compile(
    r"[.?](?=[*_$)\"'’]{0,4}(?:\s{1,9}[^\d\s]|\s{0,9}$))|[,(]?\s(?:because|since)(?![A-Za-z])"
    r"|\s\((?:not|since|because|which|or|in|as|i\.e)(?![A-Za-z])"
    r"|\s\$?\\(?:black)?square(?![A-Za-z])|(?<=[$*])!(?=\s|$)|\s[-–]\s(?=(?:an?|the|its?)\s)|\s(?=[✅✓✔■□∎])"
    r"|;\s|\s?—\s?(?=[A-Za-z]{2})"
    r"|,\s(?:and (?:so|we|I|this|that)|as|so|which|where|but|hence|thus|therefore|I|we)(?![A-Za-z])"
)
_LINE = 2000  # characters after "Answer:" in which it is looked for
_FEW = 3  # words of an answer below that line; more are a sentence
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")
_NUMBER = re.compile(  # of a time the hour, where it is a full one
    r"(?<!\d:)(?<!\d:\d)-?\$?\d[\d,]*(?:\.\d+)?(?!\d|:(?!00)\d)|-?\$?\.\d+"
)
_DENIED = re.compile(r"(?i)(?:\bnot|n['’]t)\s{1,9}-?\$?\d[\d,.]*")
_OPERATOR = r"(?:[-+*/×÷^x]|\\(?:times|cdot|div))"
_EQUATION = re.compile(  # 5 apples + 15 apples = 20 too, and what it comes to is a number alone
    r"(?:[A-Za-z ]{1,40}=)?(?:[\d\s.,$()*/^×÷=+-]|\\(?:times|cdot|div)|%(?:\sof(?=\s))?|(?<=[\da-z]\s)x(?=\s\$?\d)"
    r"|(?<=\d\s)[A-Za-z/]{1,20}(?=\s(?:[-+*/×÷=]|x\s))){1,99}"
    rf"=[\s*]{{0,9}}(?=-?\$?[\d.])(?!-?\$?[\d.,]{{1,30}}\s?{_OPERATOR}\s?\d)"
)
_STEP = re.compile(
    r"\W{0,9}(?:(?:Step|Part|Case|Problem|Question|Section)\s\d|\d{1,2}[.)]\s[A-Za-z])", re.IGNORECASE
)
_GLOSS = re.compile(r"(?<=\d)\s\(")
_WORDS = re.compile(
    r"(?:(?<=[\d}$½¼¾])|(?<=[mbr]illion)|(?<=thousand)|(?<=hundred))\s{0,9}(?:\\(?:text|mathrm|mbox)[a-z]{0,9}\{)?"
    r"(?!\s?(?:or|hundred|thousand|[mb]illion|trillion)(?![A-Za-z]))\s?[A-Za-z]"
)
_GROUPED = re.compile(r"(?<=\d)(?:\{,\}|(?:\{,\}|,)?\s?(?:\\[!,]\s?)+)(?=\d)")
_RUN_ON = re.compile(
    r"\n[ \t#*_>]{0,9}(?:(?:Question|Problem|Exercise|Q)(?:[ \t]?#?\d{1,4})?|User|Human)[*_]{0,3}[ \t]{0,9}:"
    r"|\n[ \t]{0,3}[#*]{1,6}[ \t]?(?:Question|Problem|Exercise)[ \t]?#?\d{1,4}[*.\s]"
)
_MARKS = 20  # of running on, and of answers, that are looked at
_NESTED = 20  # boxes in boxes that are opened


def first_found(
    find: Callable[[str], _T | None], text: str, marked: Callable[[str], _T | None] | None = None
) -> _T | None:
    """What `find` makes of a text up to where it runs on into a next problem: at the first mark after an answer.

    marked: instead of `find` once a mark is passed. It finds only boxes and announced answers: a problem that is told
    again has numbers and words too.
    """
    ends = [mark.start() for mark in islice(_RUN_ON.finditer(text), _MARKS)]
    for end in (*ends, len(text)):
        if found := find(text[:end]):
            return found
        find = marked or find
    return None


def boxed(text: str) -> str | None:
    r"""What the last complete \boxed or \fbox holds; None without one. A box in a box is opened.

    A box without braces counts where there is none with them, so that the word \boxed is none.
    """
    return next(reversed(boxes(text)), None)


def boxes(text: str) -> list[str]:
    """What all complete boxes hold that say something."""
    ends = _closing(text)
    braced, others = [], []
    covered = -1
    for match in _BOX.finditer(text):
        start = match.end()
        if start in ends and start >= covered:
            covered = ends[start]
            if not _NOTHING.fullmatch(inside := _opened(text[start + 1 : covered])):
                braced.append(inside)
        elif start >= covered and (token := _TOKEN.match(text, start)):
            others.append(token.group())
    return braced or others


def _opened(box: str) -> str:
    for _ in range(_NESTED):
        inside = _BOX.match(box := box.strip())
        if inside is None or not (box[inside.end() :].startswith("{") and box.endswith("}")):
            break
        box = box[inside.end() + 1 : -1]
    return box.strip()


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


def announcements(text: str) -> Iterator[str]:
    """What follows "the answer is", and the like, on its line or alone on one below; the last first."""
    for match in reversed(list(_FINAL.finditer(text))[-_MARKS:]):
        same, *below = text[match.end() : match.end() + _LINE].split("\n")
        if said := same.strip(" \t\r*_`"):
            yield said
            continue
        said = next((line.strip(" \t\r*_`") for line in below if line.strip(" \t\r*_`$[]\\")), "")
        final = "final" in text[max(match.start() - 6, 0) : match.end()].lower()
        if said and (final or len(_WORD.findall(said)) <= _FEW):
            yield said


def announced(text: str) -> str | None:
    """The last of them as far as it is the answer: not the next sentence, nor the reason. None without one."""
    for said in announcements(text):
        if found := _SENTENCE_END.split(said, maxsplit=1)[0].strip(" *_`"):
            return found
    return None


def math_answer(text: str) -> str | None:
    """A box, else the line that announces the answer."""
    return first_found(lambda part: boxed(part) or announced(part), text)


def amount(said: str) -> str:
    """3 3/4 of "3 3/4 cups (a lot)": up to the first word but "or" and "million", or a remark. Equations are kept."""
    said = _GLOSS.split(said, maxsplit=1)[0].rstrip("!")  # 18! is 18, said loudly
    return said if "=" in said else _WORDS.split(said, maxsplit=1)[0]


def number_answer(text: str) -> tuple[str | None, bool]:
    """GSM8K: after ####, else a box, else an announced number, else the last number (lenient: True).

    Of an equation in a box or announced, what it comes to.
    """
    return first_found(_number, _GROUPED.sub("", text.replace("−", "-")), _marked) or (None, False)


def _number(text: str) -> tuple[str, bool] | None:
    numbers = _NUMBER.findall(_DENIED.sub("", text))
    return _marked(text) or ((_plain(numbers[-1]), True) if numbers else None)


def _marked(text: str) -> tuple[str, bool] | None:
    lines = (part.strip().split("\n", 1)[0] for part in reversed(text.split("####")[1:]))
    marked = next((line for line in lines if _NUMBER.search(line) and not _STEP.match(line)), "")
    for source in (_result(marked), _result(boxed(text) or ""), *map(_result, announcements(text))):
        if number := _NUMBER.search(source):
            return _plain(number.group()), False
    return None


def _result(said: str) -> str:
    """Of an equation such as 5^2 = 25 what it comes to."""
    equation = _EQUATION.match(said)
    return said[equation.end() :] if equation else said


def _plain(number: str) -> str:
    return number.replace("$", "").replace(",", "").rstrip(".")
