"""What besides the model's end tokens shapes an answer: stops, forced text, and an environment that answers calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from localpower.model import Tokens

if TYPE_CHECKING:
    from localpower.completion import Completion


def _never_ended(tokens: Tokens) -> bool:
    return False


def _nothing_given(tokens: Tokens) -> int | None:
    return None


After = Literal["on", "asks", "over"]


class Turns(Protocol):
    """An environment that answers turns of the model: what makes an answer a trace (docs/tools.md).

    An end token that ends a turn which makes a call does not end the trace: the observation is given, and the model
    goes on. chances: how many numbers the chance of an observation is drawn from, all equally likely; 1: it is fixed,
    and the observation a function of the tokens before it.
    """

    @property
    def chances(self) -> int:
        """As above."""

    def after(self, turn: Tokens, rounds: int, *, end: bool) -> After:
        """What follows the tokens of a turn, after so many observations: more of it, an observation, or nothing.

        end: the last token is an end token. A function of these arguments alone.
        """

    def reply(self, trace: Completion, chance: int) -> Tokens:
        """The observation, at least one token, that follows a trace whose last turn asks for one."""

    def cut_off(self, trace: Completion) -> bool:
        """Whether a trace is over because it may have no more turns."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What besides the model's end tokens shapes an answer. The first two are functions of the tokens alone.

    ended(tokens): whether the last of these consecutively drawn tokens completes a stop.
    given(tokens): the token that must follow this completion (forced text), or None to draw.
    turns: who answers the calls of a trace; None: nobody, each end token ends the answer.
    """

    ended: Callable[[Tokens], bool] = _never_ended
    given: Callable[[Tokens], int | None] = _nothing_given
    turns: Turns | None = None

    @property
    def fresh(self) -> bool:
        """Whether observations are drawn anew after a cut."""
        return self.turns is not None and self.turns.chances > 1


PLAIN = Rules()


class TokenObserver(Protocol):
    """Hears of every token as it is drawn."""

    def drawn(self, position: int, log_p: float, log_q: float, entropy: float, *, complete: bool) -> bool:
        """Whether to stop here; not heeded when the answer is complete anyway."""
