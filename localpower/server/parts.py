"""The text of an answer as a client gets it: the thought apart, and nothing that may still turn out to be a stop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from localpower.model import Tokens
from localpower.text.stops import Piece, answer_text
from localpower.text.thinking import Thought

_UNDECIDED = 8  # tokens after which an answer that has begun no thought has none


class Parts(NamedTuple):
    """thought: without its marks; "" where there is none."""

    thought: str
    said: str


def parts(
    tokens: Tokens, piece: Piece, stops: Sequence[bytes], thought: Thought | None, *, over: bool
) -> Parts:
    """Of an answer so far; over: nothing follows. Of a longer answer both parts begin with what they are here."""
    text = answer_text(tokens, piece, stops)
    if not over:
        text = held_back(text, [stop.decode("utf-8", "replace") for stop in stops])
    if thought is None:
        return Parts("", text)
    opening, closing = thought.marks
    if thought.begins(tokens) is None:
        return Parts("", text if over or len(tokens) >= _UNDECIDED else "")
    inside, closed, said = text.partition(closing)
    inside = inside.lstrip().removeprefix(opening).lstrip()
    if closed:
        return Parts(inside.rstrip(), said.lstrip("\n"))
    return Parts(inside if over else held_back(inside, [closing]).rstrip(), "")


def held_back(text: str, marks: Sequence[str]) -> str:
    """Without an end that may be the beginning of a mark."""
    for n in range(max(map(len, marks), default=1) - 1, 0, -1):
        if any(len(mark) > n and text.endswith(mark[:n]) for mark in marks):
            return text[:-n]
    return text
