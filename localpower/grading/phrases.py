"""The answer of a task whose right answer is a short phrase, as BIG-Bench Hard's are: (B), True, valid, 24, `] ) }`."""

from __future__ import annotations

import re

from localpower.grading.extract import boxed, first_found

_SAID = re.compile(r"(?i)\banswer\s{0,3}(?:is|:)\s{0,3}:?\s*([^\n]+)")
_END = re.compile(r"\.\s+[A-Z]|\.\s*$")  # the next sentence, or the full stop
_MARKS = re.compile(r"^[\s*_`\"'$]+|[\s*_`\"'$]+$")
_LETTER = re.compile(r"\(?([A-R])\)?(?:[.):\s].*)?", re.DOTALL)
_LONGEST = 2000


def phrase_answer(text: str) -> str | None:
    """What the text says after its last "the answer is", else in its last box, else all of a text of one line."""
    return first_found(_phrase, text)


def same_phrase(gold: str, said: str) -> bool:
    """Whether both say the same: case, quotation marks, blanks and a final full stop aside.

    Where the right answer is a letter in parentheses, the letter alone says it too, and what follows it does not count.
    """
    right = _plain(gold)
    if len(gold.strip()) == 3 and (letter := _LETTER.fullmatch(gold.strip())):
        found = _LETTER.fullmatch(_MARKS.sub("", said))
        return found is not None and found.group(1) == letter.group(1)
    return _plain(said) == right


def _phrase(text: str) -> str | None:
    found = list(_SAID.finditer(text))
    if found:
        said = _END.split(found[-1].group(1)[:_LONGEST], maxsplit=1)[0]
    else:
        lines = [line for line in text[:_LONGEST].splitlines() if line.strip()]
        said = boxed(text) or (lines[0] if len(lines) == 1 else "")
    return _MARKS.sub("", said).rstrip(".") or None


def _plain(text: str) -> str:
    return " ".join(_MARKS.sub("", text).rstrip(".").casefold().split())
