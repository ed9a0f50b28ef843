"""What every sampler is: frozen settings with a `run` that yields events."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from typing import Any, Literal, Protocol

from localpower.chance import Dice
from localpower.completion import PLAIN, Completion, Pen, Rules
from localpower.drafts import NgramDrafter
from localpower.errors import UsageProblem
from localpower.events import Event, Extended, Finished
from localpower.model import Model, Tokens
from localpower.samplers.budget import Room

Guarantee = Literal["exact", "invariant", "asymptotic", "approximate"]
"""exact: the answer is a draw from the stated law. invariant: the last state of a chain that leaves p^alpha (or what
`Method.target` names) invariant, begun elsewhere and run for finitely many steps. asymptotic: its law tends to p^alpha
as answers are added. approximate: none of these."""

SLICE = 8  # tokens between two Extended events: the most that Ctrl-C can lose of a draw


class Sampler(Protocol):
    """A frozen dataclass of settings; follow `ancestral.py` (simple) or `mh.py` (a chain)."""

    @property
    def method(self) -> str:
        """As in `--method`."""

    @property
    def guarantee(self) -> Guarantee:
        """What holds of the answer when the run completes."""

    def run(self, model: Model, prompt: Tokens, dice: Dice) -> Iterator[Event]:
        """One run; the last event is Finished. All chance comes from `dice`."""

    @property
    def width(self) -> int:
        """Most contexts that one run asks for at a time."""

    def settings(self) -> dict[str, Any]:
        """The settings as plain JSON values, for the record."""

    def expected_cost(self) -> float:
        """Tokens that a run is expected to draw, in plain answers."""

    def fit(self, room: Room) -> tuple[Sampler, str]:
        """The sampler whose schedule fits into a budget, and the schedule in words; "": there is nothing to say."""


def settled(sampler: Sampler, members: Sequence[Completion]) -> int:
    """How many tokens of the answer can no longer change, whatever the run still does, by what it holds now.

    0 for a sampler that does not say it by a method of this name.
    """
    own = getattr(sampler, "settled", None)
    found: int = own(members) if own else 0
    return found


def grow(
    dice: Dice,
    model: Model,
    prompt: Tokens,
    state: Completion,
    horizon: int,
    *,
    temperature: float,
    rules: Rules,
    stage: int,
    drafts: NgramDrafter | None = None,
    member: int = 0,
) -> Generator[Extended, None, Completion]:
    """Extend `state` to `horizon` slice by slice, yielding an event after each slice; returns the state.

    One stream draws all tokens, so the slices change nothing but when the watcher hears of them.
    """
    if state.complete_at(horizon):
        return state
    pen = Pen(dice, model, prompt, state, temperature=temperature, rules=rules, drafts=drafts)
    writer = pen.writer
    while not (writer.ended or writer.n_counted >= horizon):
        kept = len(writer.tokens)
        pen.write(min(writer.n_counted + SLICE, horizon))
        yield Extended(stage, horizon, kept, writer.tail(kept), member)
    return writer.completion()


def finished(
    state: Completion, rules: Rules = PLAIN, *, budget: bool = False, n_dropped: int = 0
) -> Finished:
    """The closing event of a run that was not interrupted. budget: it was cut short by its budget."""
    finish = "budget" if budget else "stop" if state.ended else "length"
    if finish == "stop" and rules.turns is not None and rules.turns.cut_off(state):
        finish = "turns"
    return Finished(finish, len(state), state.total_log_p(), n_dropped)


def require(name: str, value: float, low: float, high: float = math.inf) -> None:
    """Raise UsageProblem unless low <= value <= high; NaN fails."""
    if not (low <= value <= high) or math.isinf(value):
        bound = f"at least {low:g}" if math.isinf(high) else f"between {low:g} and {high:g}"
        raise UsageProblem(f"{name} must be {bound}, got {value:g}")
