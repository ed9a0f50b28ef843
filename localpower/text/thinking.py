"""Thoughts of a model: how its template writes them, and a length after which the model is led to its answer.

A thought that is cut off hard loses the answer. So after `most` tokens of a thought that is still open some words and
the closing mark are given: they are part of the answer, conditioned on and not drawn, never a cut, not in the power.
What is given is a function of the tokens before it, so every step leaves the law that is so defined invariant
(completion.Rules; enumerated in tests/samplers).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from localpower.model import Tokens
from localpower.text.marks import Piece
from localpower.text.template import variables

PAIRS = (
    *(("<think>", "</think>"), ("[THINK]", "[/THINK]"), ("<|START_THINKING|>", "<|END_THINKING|>")),
    *(("<thinking>", "</thinking>"), ("<thought>", "</thought>"), ("<seed:think>", "</seed:think>")),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
)
HANDOVER = "\n\nI have thought long enough, and I answer now.\n"
_SWITCHES = ("enable_thinking", "thinking")  # what templates call it
_SOON = 8  # tokens of an answer within which its thought begins, if it has one
_TAIL = 16  # tokens of a prompt in which it may open a thought


def marks_of(template: str | None, control_token: Callable[[str], int | None]) -> tuple[str, str] | None:
    """How a thought begins and ends; None: the model is not known to have any."""
    for opening, closing in PAIRS:
        if (template and closing in template) or control_token(closing) is not None:
            return opening, closing
    return None


def switch_of(template: str | None) -> str | None:
    """The variable by which a template lets thoughts be switched on and off; None: it has none."""
    read, written = variables(template)
    return next((name for name in _SWITCHES if name in read - written), None)


@dataclass(frozen=True, slots=True)
class Thought:
    """Where the thought of an answer lies. opened: the prompt ended with its opening mark."""

    marks: tuple[str, str]
    opened: bool
    piece: Piece

    @classmethod
    def after(cls, marks: tuple[str, str], prompt: Tokens, piece: Piece, n_prefix: int = 0) -> Thought:
        """In the answers to a prompt, whose last n_prefix tokens are an opening of the answer itself.

        Such an opening may open or close a thought.
        """
        end = len(prompt) - n_prefix
        asked, given = (
            b"".join(map(piece, tokens)).decode("utf-8", "replace")
            for tokens in (prompt[max(end - _TAIL, 0) : end], prompt[end:])
        )
        opens, closes = (given.rfind(mark) for mark in marks)
        return cls(marks, asked.rstrip().endswith(marks[0]) if opens == closes else opens > closes, piece)

    def begins(self, tokens: Tokens) -> int | None:
        """The number of tokens before it; None: the answer has none."""
        if self.opened:
            return 0
        text = b""
        for i, token in enumerate(tokens[:_SOON]):
            text += self.piece(token)
            if self.marks[0].encode() in text:
                return i + 1
        return None

    def closes(self, tokens: Tokens, begins: int) -> int | None:
        """The number of tokens up to the end of its closing mark; None: it is open."""
        mark, text = self.marks[1].encode(), b""
        for i, token in enumerate(tokens[begins:]):
            text = text[-len(mark) :] + self.piece(token)
            if mark in text:
                return begins + i + 1
        return None

    def length(self, tokens: Tokens) -> int | None:
        """How many tokens it takes, marks included; None: there is none."""
        begins = self.begins(tokens)
        if begins is None:
            return None
        closes = self.closes(tokens, begins)
        return len(tokens) if closes is None else closes

    def limited(self, most: int, handover: Tokens) -> Callable[[Tokens], int | None]:
        """The token that must follow these: of the handover, once `most` tokens have not closed the thought."""
        return _Limited(self, most, handover)


@dataclass(frozen=True, slots=True)
class _Limited:
    """The rule of `Thought.limited`: it looks at how an answer begins, and through a thought once it is that long."""

    thought: Thought
    most: int
    handover: Tokens
    grows: ClassVar[bool] = True  # it reads `Growing` answers

    def __call__(self, tokens: Tokens) -> int | None:
        begins = self.thought.begins(tokens)
        if begins is None:
            return None
        end = begins + self.most
        at = len(tokens) - end
        if not 0 <= at < len(self.handover) or self.thought.closes(tokens[:end], begins) is not None:
            return None
        return self.handover[at]


def split(text: str, marks: tuple[str, str], *, opened: bool) -> tuple[str, str]:
    """The thought that a text begins with, without its marks, and what comes after; one that is open is none.

    opened: the answer has a thought (`Thought.begins`), whose opening mark may stand in the prompt. A closing mark in
    an answer that has none is text.
    """
    thought, closing, said = text.partition(marks[1])
    if not closing or not (opened or thought.lstrip().startswith(marks[0])):
        return "", text
    return thought.strip().removeprefix(marks[0]).strip(), said.lstrip("\n")
