"""Short answers: a word or name, a list of numbers. What a sentence says is taken from its ends."""

from __future__ import annotations

import re
from collections.abc import Sequence

from localpower.grading.extract import boxed, first_answer

_SENTENCE = re.compile(r"[.!?](?:\s|$)|\n")
_SAYS = re.compile(r"\s(?:is|are)\s|:\s?", re.IGNORECASE)
_NUMBER = re.compile(r"-?\d{1,99}(?:\.\d{1,99})?")
_OPENERS = {"sure", "certainly", "of course", "yes", "okay", "ok", "well"}
_LONGEST = 2000


def text_answer(text: str) -> list[str]:
    """What a text may be saying, likeliest first: its box; else of its first sentence what follows the last "is" or
    colon, all of it, the former up to a comma, and what comes before the first "is" unless that is denied. Empty
    without words.
    """
    text = first_answer(text)[:_LONGEST].strip()
    box = boxed(text)
    if box is not None:
        return [box]
    sentences = (part.strip() for part in _SENTENCE.split(text) if _plain(part))
    first = next((part for part in sentences if _plain(part) not in _OPENERS and not part.endswith(":")), "")
    parts = _SAYS.split(first)
    if len(parts) == 1:
        return [first] if first else []
    denied = _plain(parts[1]).split()[:1] == ["not"]
    found = [parts[-1], first, parts[-1].partition(",")[0], "" if denied else parts[0]]
    return [part.strip() for part in found if _plain(part)]


def same_text(answers: Sequence[str], found: Sequence[str]) -> bool:
    """Whether one of the readings is one of the right answers, apart from case, articles and punctuation."""
    return bool({_plain(answer) for answer in answers} & {_plain(part) for part in found})


def list_answer(text: str) -> list[str] | None:
    """The numbers of the first line that lists some, after its last colon; else of lines that hold one each."""
    lines = (boxed(text) or first_answer(text).replace("−", "-"))[:_LONGEST].splitlines()
    found = [_NUMBER.findall(line.rpartition(":")[2]) for line in lines]
    listed = next((numbers for numbers in found if len(numbers) > 1), [])
    alone = [numbers[0] for numbers in found if len(numbers) == 1]
    return listed or (alone if len(alone) > 1 else None)


def _plain(text: str) -> str:
    words = re.sub(r"\\text|[^\w\s-]", "", text.casefold()).split()
    return " ".join(words[1:] if len(words) > 1 and words[0] in ("the", "a", "an") else words)
