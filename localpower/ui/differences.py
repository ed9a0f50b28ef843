"""Which words of an answer differ from those of another answer to the same problem."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import groupby

_MOST = (
    150  # words and signs that are aligned; of longer texts all between the common start and end is marked
)
_SHORTEST = 4  # pieces: a single word that both have, with the spaces around it, agrees by chance

Piece = tuple[str, bool]


def marked(text: str, base: str) -> list[Piece]:
    """The text in pieces, each with whether `base` lacks it there. The pieces joined are the text."""
    words, others = (re.findall(r"\w+|\W", each) for each in (text, base))
    start = _common(words, others)
    end = _common(words[start:][::-1], others[start:][::-1])
    middle, theirs = words[start : len(words) - end], others[start : len(others) - end]
    differs = [False] * start + [True] * len(middle) + [False] * end
    if max(len(middle), len(theirs)) <= _MOST:
        for at, _, n in SequenceMatcher(None, middle, theirs, autojunk=False).get_matching_blocks():
            if n >= _SHORTEST:
                differs[start + at : start + at + n] = [False] * n
    pairs = groupby(zip(words, differs, strict=True), key=lambda pair: pair[1])
    return [("".join(word for word, _ in group), differ) for differ, group in pairs]


def _common(a: list[str], b: list[str]) -> int:
    """Length of the longest common prefix."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
