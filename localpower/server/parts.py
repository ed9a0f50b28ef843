"""The text of an answer as a client gets it: the thought apart, and nothing that may still turn out to be a stop."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from typing import NamedTuple

from localpower.model import Tokens
from localpower.text.stops import Piece, answer_text, stop_predicate
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
    inside = _bare(inside, opening)
    if closed:
        return Parts(inside.rstrip(), said.lstrip("\n"))
    if over:
        return Parts(inside, "")
    return Parts("" if opening.startswith(inside) else held_back(inside, [closing]).rstrip(), "")


def _bare(thought: str, opening: str) -> str:
    """Without its opening mark, which the prompt may end with instead."""
    return thought.lstrip().removeprefix(opening).lstrip()


class Flow:
    """The parts of an answer while it grows, new pieces alone: joined they are what `parts` has of it before its end.

    A piece costs what it says, however long the answer is.
    """

    def __init__(self, piece: Piece, stops: Sequence[bytes], thought: Thought | None) -> None:
        self._piece, self._thought, self._ends = piece, thought, stop_predicate(stops, piece)
        self._marks = [stop.decode("utf-8", "replace") for stop in stops]
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._seen = 0
        self._waiting = ""  # what was read and is in no piece yet
        self._inside = False  # of an open thought
        self._bare = False  # nothing of the part that it is in was told, whose first blanks are not shown

    def more(self, tokens: Tokens) -> Parts:
        """What an answer has that did not have all of these tokens when it was last asked about.

        Nothing where the last token completes a stop: how much of it is shown is known once the answer is over.
        """
        if self._ends(tokens):
            return Parts("", "")
        if not self._seen and self._thought is not None:
            begun = self._thought.begins(tokens) is not None
            if not begun and len(tokens) < _UNDECIDED:
                return Parts("", "")
            self._inside = self._bare = begun
        new = tokens[self._seen :]
        self._seen = len(tokens)
        self._waiting += self._decoder.decode(b"".join(map(self._piece, new)))
        inside = self._thinks() if self._inside else ""
        return Parts(inside, "" if self._inside else self._says())

    def _thinks(self) -> str:
        """What is certain of the thought; after its closing mark it is over."""
        assert self._thought is not None
        opening, closing = self._thought.marks
        found, closed, said = held_back(self._waiting, self._marks).partition(closing)
        text = _bare(found, opening) if self._bare else found
        at = len(found) - len(text)
        if closed:
            held = self._waiting[len(found) + len(closed) + len(said) :]
            self._inside, self._bare, self._waiting = False, True, said + held
            return text.rstrip()
        if self._bare and opening.startswith(text):
            return ""
        text = held_back(text, [closing]).rstrip()
        if text:
            self._bare, self._waiting = False, self._waiting[at + len(text) :]
        return text

    def _says(self) -> str:
        """What is certain of the rest."""
        if self._bare:
            self._waiting = self._waiting.lstrip("\n")
        text = held_back(self._waiting, self._marks)
        self._waiting = self._waiting[len(text) :]
        self._bare = self._bare and not text
        return text


def held_back(text: str, marks: Sequence[str]) -> str:
    """Without an end that may be the beginning of a mark."""
    for n in range(max(map(len, marks), default=1) - 1, 0, -1):
        if any(len(mark) > n and text.endswith(mark[:n]) for mark in marks):
            return text[:-n]
    return text
