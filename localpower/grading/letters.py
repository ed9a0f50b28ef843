"""The letter of a multiple choice that a text gives as its answer: GPQA's A to D, MMLU-Pro's A to J."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from localpower.grading.extract import ADVERB, NO_ANSWER, WRONG, boxes, first_found

_DRESS = re.compile(  # of a letter
    r"\\(?:text|math)[a-z]{0,9}|\\(?:mbox|bf|rm|it)(?![A-Za-z])|[{}$*`\"“”‘]|\\[,;:! ()\[\]]|__|</?(?:b|i|u|em|strong)>"
)
# Written for the letters A to D; `_signs` makes those of other questions of them.
_SMALL = r"(?m)(?<![\w)\]])\(([a-d])\)|(?<=[:=] )[a-d](?=[.)]?\s*$|\)\s)"  # (b), answer: b
_IS = r"(?:is|would\sbe|must\sbe|should\sbe|has\sto\sbe)"
_ABOUT = (  # the answer to this question is, the answer, therefore, is
    r"(?:\s(?:to|that|which|here|among|from|of|for)(?![A-Za-z])[^\n.:]{0,40}?(?=\s(?:is|would\sbe|must\sbe|should\sbe)\s|:)|,\s(?:therefore|thus|then),)"
)
_PLAIN = r"[(\[]?[A-D][)\]]?(?![\w'’])"
_SAID = (
    rf"(?:{WRONG}(?:[Aa]ns(?:wer)?|ANSWER)(?:\s(?:option|choice|letter))?{_ABOUT}?"
    rf"(?:\s{{1,9}}(?:{_IS}|IS)(?:{ADVERB},?)?|\s{{0,9}}(?:[-–—→=：]|->|=>)|\.(?=\s)"
    rf"|(?!\s{{1,9}}{_PLAIN}\s(?:is|was|seems|looks|would)\s(?!correct|right|the\s)))"  # not "the answer A is tempting"
    r"|(?<![A-Za-z-])(?:[Cc]orrect|[Rr]ight|[Bb]est|[Ss]elected|[Cc]hosen|[Ff]inal|[Mm]y)\s"
    r"(?:option|choice|alternative|statement|response|letter|one|selection|pick)"
    rf"(?:(?:{_ABOUT})?\s{{1,9}}{_IS}(?:{ADVERB},?)?|(?=\s{{0,9}}:))"
    r"|(?<![\w-])(?:[Cc]orrect|[Cc]hoice|[Oo]ption|[Ss]election|[Ff]inal)(?=:)"
    r"|(?<!\w)(?:I|[Ww]e|[Ll]et)(?:['’](?:d|ll|m|re|s)|\swould|\swill)?\s(?:choose|pick|select|go(?:ing)?\swith|opt\sfor)"
    rf"(?!\s{_PLAIN}\sas\s(?!(?:the|my)\s(?:\w{{1,9}}\s)?(?:answer|choice|option))))"  # we choose C as the constant
    rf"[\s_]{{0,9}}:?[\s_]{{0,9}}(?:(?<=\n)[>-]\s)?(?:not\s{_PLAIN},?\sbut\s)?"
)
_NO_NOUN = (  # comes after no article
    "is|as|and|or|since|because|which|with|in|for|to|from|by|that|but|not|rather|due|at|on|of|where|so|while|then|would|has"
)
_CHOICE = (
    r"(?:(?:[Oo]ption|[Cc]hoice|[Ll]etter)\s{1,9})?[(\['’]{0,2}([A-D])(?!\w|['’][a-z]|-\w|\s{0,9}[=^+<>\\]|/\d)"
    rf"(?!(?<=A)\s{{1,9}}(?!(?:{_NO_NOUN})\b)[a-z])"  # "answer: A good way" has an article
    r"(?P<more>[)\]'’]{0,2}[ \t]{0,9}(?:[,/;&]|and\b|or\b)[ \t]{0,9}[(\[]?[A-D](?![\w'’])|[ \t]{1,9}[A-D]\s{0,9}\Z)?"
)
_LETTER = _SAID + _CHOICE
_FIRST = rf"\s*{_CHOICE}"
_ALONE = (  # or alone on the first line
    r"\s{0,9}(?:(?:[Oo]ption|[Cc]hoice)\s)?[(\[]{0,9}([A-D])[ \t).\]]{0,9}"
    r"(?:\s{0,9}\Z|\n(?!\s{0,9}\(?[A-D]\b)|,?\s(?:because|since)(?![A-Za-z]))"
)
_SMALL_ALONE = r"\s{0,9}[a-d]\s{0,9}"
# Where nothing announces a letter: "B is the right answer", "42 m/s, which is option B", a last "Therefore, B."
_NAMED = (
    rf"(?m)(?<![\w'’-])(?<!if\s)(?<!whether\s)({_PLAIN})\s{_IS}(?:{ADVERB})?\s(?:(?:the|my)\s)?(?:(?:only|most|single)\s)?"
    r"(?:(?:(?:correct|right|best|final)\s)?(?:answer|choice|option)\b(?!\s?\?)|(?:correct|right)(?=\s{0,9}(?:[.!]|because|since|\Z)))"
    rf"|[Aa]nswer\s{_IS}(?!{NO_ANSWER})\s[^\n;:?]{{1,60}}?(?:(?:,\swhich\sis|i\.e\.,?)\s(?:option\s)?({_PLAIN})|\s(\([A-D]\))(?=\.?\s*$))"
    rf"|(?:[Tt]herefore|[Hh]ence|[Tt]hus|[Ss]o),?\s({_PLAIN})[.!]?\s{{0,9}}\Z"
)
# An answer that begins with an option, "B) 42 m/s"; "A. thaliana" and "(A) is less" are none. A second one makes a
# list of options of it.
_OPTION = (
    r"(?m)^[ \t#>-]{0,9}(?:(?:[Oo]ption|[Cc]hoice)\s(?:\([A-D]\)|[A-D](?=[).:]))|\([A-D]\)|[A-D]\)|[B-D](?=:)"
    r"|[A-D]\.(?=[ \t]+[^\sa-z])|[A-D](?=\s[-–—]\s(?:\d|[A-Za-z]{3})))"
    r"(?![).:\s]{0,4}(?i:is|are|was|can|cannot|would|could|does|has|seems|looks|gives|incorrect|wrong|false|no)\b)"
)
_ARTICLE = rf"(?!(?<=A)\s{{1,9}}(?!(?:{_NO_NOUN})\b)[a-z])"
_PRONOUN = (
    r"(?!(?<=I)\s{1,9}(?!(?:is|as|and|or|since|because|which|with|for|due|from)\b)[a-z])"  # "answer: I think"
)


@dataclass(frozen=True, slots=True)
class _Signs:
    """The patterns for the letters A to another."""

    small: re.Pattern[str]
    letter: re.Pattern[str]
    first: re.Pattern[str]
    alone: re.Pattern[str]
    small_alone: re.Pattern[str]
    named: re.Pattern[str]
    option: re.Pattern[str]


@cache
def _signs(last: str) -> _Signs:
    def made(pattern: str) -> re.Pattern[str]:
        if last != "D":
            for first in "AaB":
                end = last.lower() if first == "a" else last
                pattern = pattern.replace(f"{first}-{'d' if first == 'a' else 'D'}", f"{first}-{end}")
        return re.compile(pattern.replace(_ARTICLE, _ARTICLE + _PRONOUN) if last >= "I" else pattern)

    texts = (_SMALL, _LETTER, _FIRST, _ALONE, _SMALL_ALONE, _NAMED, _OPTION)
    return _Signs(*map(made, texts))


def letter_answer(text: str, last: str = "D") -> str | None:
    """The letter A to `last` of the last box that begins with one alone or announces one.

    Else that of the last "answer is (X)", else the one that is called right, the option with which the text begins, or
    the text itself where it is nothing but a letter. Two letters, such as "A or B", are no answer.
    """
    return first_found(lambda part: _letter(part, _signs(last)), text)


def _letter(text: str, signs: _Signs) -> str | None:
    bare = _bare(text, signs)
    boxed = (_bare(box, signs) for box in reversed(boxes(text)))
    found = next(filter(None, (signs.first.match(box) or signs.letter.search(box) for box in boxed)), None)
    found = found or next(reversed(list(signs.letter.finditer(bare))), None)
    if found is not None:
        return None if found["more"] else found.group(1)
    if alone := signs.alone.match(bare):
        return alone.group(1)
    named = {str(match[match.lastindex or 0]).strip("()[]") for match in signs.named.finditer(bare)}
    options = list(signs.option.finditer(bare))
    if not named and len(options) == 1 and not bare[: options[0].start()].strip():
        named = {options[0].group().rstrip(").")[-1]}
    return named.pop() if len(named) == 1 else None


def _bare(text: str, signs: _Signs) -> str:
    text = _DRESS.sub("", text)
    if signs.small_alone.fullmatch(text):
        return text.upper()
    return signs.small.sub(lambda match: match.group().upper(), text)
