"""Marks of thoughts that are control tokens. These have no bytes: without the marks thought and answer are one text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Piece = Callable[[int], bytes]

MARKS = (
    *("<think>", "</think>", "[THINK]", "[/THINK]", "<|START_THINKING|>", "<|END_THINKING|>"),
    *("<|channel|>", "<|message|>", "<|channel>", "<channel|>", "<|inner_prefix|>", "<|inner_suffix|>"),
    *("<thinking>", "</thinking>", "<thought>", "</thought>", "<seed:think>", "</seed:think>"),
    *("<|begin_of_thought|>", "<|end_of_thought|>", "<|think|>", "<|/think|>"),
)


class _Vocabulary(Protocol):
    @property
    def piece(self) -> Callable[[int], bytes]: ...

    @property
    def control_token(self) -> Callable[[str], int | None]: ...


def spelling(vocabulary: _Vocabulary) -> Piece:
    """The bytes of a token, marks of thoughts included."""
    marks = {vocabulary.control_token(mark): mark.encode() for mark in MARKS}
    return lambda token: marks.get(token) or vocabulary.piece(token)
