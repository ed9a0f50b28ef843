"""The letter of a multiple choice that a text gives as its answer: GPQA's A to D."""

from __future__ import annotations

import re

from localpower.grading.extract import boxes, first_found

_DRESS = re.compile(r"\\(?:text|math)[a-z]{0,9}|\\mbox|[{}$*`\"“”‘]|\\[,;:! ()\[\]]|__")  # of a letter
_SAID = (
    r"(?:(?:[Aa]ns(?:wer)?|ANSWER)(?:\s(?:option|choice))?(?:\sto\s[^\n.:]{1,40}?(?=\sis\s))?"
    r"(?:\s{1,9}(?:is|would\sbe|must\sbe|should\sbe))?"
    r"|(?:[Cc]orrect|[Rr]ight|[Bb]est)\s(?:option|choice|alternative|statement|response|letter|one)"
    r"(?:\s{1,9}is|(?=\s{0,9}:)))[\s_]{0,9}:?[\s_]{0,9}"
)
_CHOICE = (
    r"(?:(?:[Oo]ption|[Cc]hoice|[Ll]etter)\s{1,9})?[(\['’]?([A-D])(?!\w|['’][a-z]|-\w|\s{0,9}[=^+<>\\]|/\d)"
    r"(?!(?<=A)\s{1,9}(?!is\b|as\b|and\b|or\b|since\b|because\b)[a-z])"  # "answer: A good way" has an article
    r"(?P<more>[)\]'’]{0,2}[ \t]{0,9}(?:[,/;&]|and\b|or\b)[ \t]{0,9}[(\[]?[A-D](?![\w'’])|[ \t]{1,9}[A-D]\s{0,9}\Z)?"
)
_LETTER = re.compile(_SAID + _CHOICE)
_FIRST = re.compile(rf"\s*{_CHOICE}")
_ALONE = re.compile(r"[\s(\[]{0,9}([A-D])[\s).\]]{0,9}")


def letter_answer(text: str) -> str | None:
    """The letter A to D of the last box that begins with one alone or announces one, else of the last "answer is (X)".

    Else the text itself, where it is nothing but a letter. Two letters, such as "A or B", are no answer.
    """
    return first_found(_letter, text)


def _letter(text: str) -> str | None:
    bare = _DRESS.sub("", text)
    boxed = (_DRESS.sub("", box) for box in reversed(boxes(text)))
    found = next(filter(None, (_FIRST.match(box) or _LETTER.search(box) for box in boxed)), None)
    found = found or next(reversed(list(_LETTER.finditer(bare))), None)
    if found is None:
        alone = _ALONE.fullmatch(bare)
        return alone and alone.group(1)
    return None if found["more"] else found.group(1)
