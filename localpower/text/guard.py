"""User text can never become control tokens.

A rendered prompt is tokenised with control tokens parsed, so `<|im_end|>` typed by a user would end their turn.
`guard` puts a mark inside every such text before rendering; after rendering the prompt is split at the marks
and each part tokenised by itself: no part holds the whole control text any more.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from localpower.errors import UserError

# Noncharacters, which no text means, and then a part of the last private plane.
FIXED = chr(0xFDD0)  # for texts that are read again later: the same for all
_MARKS = [chr(code) for code in (*range(0xFDD0, 0xFDF0), *range(0x10FF00, 0x10FFFE))]


def choose_mark(texts: Iterable[str]) -> str:
    """A mark that occurs in none of the texts. Raises UserError when all do."""
    seen = set().union(*map(set, texts))
    for mark in _MARKS:
        if mark not in seen:
            return mark
    raise UserError("the text holds every character that could mark its own pieces")


def guard(text: str, controls: Collection[str], mark: str) -> str:
    """`text` with `mark` inside every control text, and at an end that could complete one with its neighbour."""
    if not controls:
        return text
    beginnings = "|".join(re.escape(c) for c in sorted(controls, key=len))
    text = re.sub(f"(?={beginnings})(.)", lambda found: found[1] + mark, text, flags=re.DOTALL)
    core = text.strip()
    if any(core.endswith(c[:n]) for c in controls for n in range(1, len(c))):
        at = len(text.rstrip())
        text = text[:at] + mark + text[at:]
    if any(core.startswith(c[-n:]) for c in controls for n in range(1, len(c))):
        at = len(text) - len(text.lstrip())
        text = text[:at] + mark + text[at:]
    return text
