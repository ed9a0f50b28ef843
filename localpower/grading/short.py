"""Short answers: a word or name, a list of numbers. What a sentence says is taken from its ends."""

from __future__ import annotations

import re
from collections.abc import Sequence

from localpower.grading.extract import announcements, boxed, first_found

_SENTENCE = re.compile(r"(?<!\bSt)(?<!\bDr)(?<!\bMr)(?<!\bMrs)(?<!\bMt)(?<!\.[a-z])[.!?](?:\s|$)|\n")
_COLON = r"(?<!\d):\s?|:(?!\d)\s?"  # 8:00 holds none
# Paris, France; but 5, 3 and (a, b) have two parts
_REMARK = re.compile(r",\s(?![\d(])(?![^(\[]*[)\]])")
_GLOSS = re.compile(r"(?<=\w)\s(?:\((?!or\b|and\b)|[-–—]\s(?=(?:the|an?|its?)\s))|,?\s(?:because|since)\s")
_SAYS = re.compile(rf"\s(?:is|are)\s|{_COLON}", re.IGNORECASE)
_ITEM = re.compile(r"\s*(\d{1,2})[.)]\s+(.*)")
_NUMBER = re.compile(r"(?<![\d:.])-?\d{1,99}(?:\.\d{1,99})?(?!:?\d)")
_OPENERS = {"sure", "certainly", "of course", "yes", "okay", "ok", "well"}
_LONGEST = 2000
# What stands between digits is part of a number or a time.
_PUNCTUATION = re.compile(r"\\text[a-z]*|(?<=\d),(?=\d{3}(?!\d))|(?!\.\d)(?:(?<!\d)[^\w\s-]|[^\w\s-](?!\d))")


def text_answer(text: str) -> list[str]:
    """What a text may be saying, likeliest first: its box; else of what it announces as the answer, or of its first
    sentence, what follows the last "is" or colon, all of it, the former without a remark after a comma, and what comes
    before the first "is" unless that is denied; last a yes or no before it. Empty without words.
    """
    return first_found(_readings, text, lambda part: _readings(part, marked=True)) or []


def _readings(text: str, *, marked: bool = False) -> list[str]:
    text = text[:_LONGEST].strip()
    box = boxed(text)
    if box is not None:
        return [box]
    said = next(announcements(text), "")
    if marked and not said:
        return []
    sentences = (part.strip() for part in _SENTENCE.split(said or text) if _plain(part))
    spoken = [part for part in sentences if not part.endswith(":")]
    first = next((part for part in spoken if _plain(part) not in _OPENERS), "")
    before = spoken[: spoken.index(first) + 1] if first else spoken
    heads = [part.partition(",")[0] for part in before]  # "Yes. The sky is blue", "No, it has two"
    replies = [head for head in heads if _plain(head) in _OPENERS | {"no"}]
    first, whole = _GLOSS.split(first, maxsplit=1)[0], first
    parts = _SAYS.split(first)
    if len(parts) == 1 and not said:
        return [each for each in (whole, first, *replies) if each]
    denied = _plain(parts[1]).split()[:1] == ["not"] if len(parts) > 1 else False
    found = [parts[-1], whole, first, _REMARK.split(parts[-1])[0], "" if denied else parts[0], *replies]
    return [part.strip() for part in found if _plain(part)]


def same_text(answers: Sequence[str], found: Sequence[str]) -> bool:
    """Whether one of the readings is one of the right answers, apart from case, articles and punctuation."""
    return bool({_plain(answer) for answer in answers} & {_plain(part) for part in found})


def list_answer(text: str) -> list[str] | None:
    """The numbers of the first line that lists some, after its last colon; else of lines that hold one each."""
    return first_found(
        lambda part: _listed(boxed(part) or part),
        text.replace("−", "-"),
        lambda part: _listed(boxed(part) or next(announcements(part), "")),
    )


def _listed(text: str) -> list[str] | None:
    lines = [line for line in text[:_LONGEST].splitlines() if line.strip()]
    items = [_ITEM.fullmatch(line) for line in lines]
    if [item and int(item[1]) for item in items] == [*range(1, len(items) + 1)]:
        lines = [item[2] for item in items if item]
    found = [_said_last(line) for line in lines]
    listed = next((numbers for numbers in found if len(numbers) > 1), [])
    alone = [numbers[0] for numbers in found if len(numbers) == 1]
    return listed or (alone if len(alone) > 1 else None)


def _said_last(line: str) -> list[str]:
    """The numbers after the last "are" or colon that some numbers follow."""
    parts = [_NUMBER.findall(part) for part in _SAYS.split(line)]
    last = _NUMBER.findall(re.split(_COLON, line)[-1])
    return next((part for part in reversed(parts) if len(part) > 1), last)


def _plain(text: str) -> str:
    words = _PUNCTUATION.sub("", text.casefold().replace("−", "-").replace("–", "-")).split()
    return " ".join(words[1:] if len(words) > 1 and words[0] in ("the", "a", "an") else words)
