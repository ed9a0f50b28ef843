"""What the screen shows, folded from events. Pure: no clock, no terminal, no model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from localpower.events import Event, Extended, Resampled, Stepped
from localpower.model import Tokens, common_prefix
from localpower.runs.tally import Tally, cost_multiple, plain_answer, plain_tokens

STRIP = 60  # steps and log p values kept for the screen


@dataclass(frozen=True, slots=True)
class ChainView:
    """One chain. rewritten: where the last accepted step began to rewrite; growing: the tail being drawn.

    ess, resampled: of particles, the effective sample size and how often they were resampled.
    """

    tally: Tally = field(default_factory=Tally)
    stage: int = 0
    step: int = 0
    horizon: int = 0
    rewritten: int | None = None
    growing: Tokens = ()
    branch: int = 0
    strip: str = ""
    log_p: tuple[float, ...] = ()
    ess: float | None = None
    resampled: int = 0

    def add(self, event: Event) -> ChainView:
        """The view after one more event."""
        tally = self.tally.add(event)
        history = (*self.log_p, tally.state.total_log_p())[-STRIP:]
        if isinstance(event, Extended):
            shown = event.member == tally.shown
            return replace(
                self,
                tally=tally,
                stage=event.stage,
                step=0 if shown else self.step,
                horizon=event.horizon,
                growing=(),
                log_p=history,
            )
        if isinstance(event, Resampled):
            resampled = self.resampled + (event.parents is not None)
            return replace(self, tally=tally, ess=event.ess, resampled=resampled, growing=())
        if isinstance(event, Stepped):
            moved = event.accepted and not event.free
            mark = "=" if event.free else "#" if event.accepted else "," if event.early else "."
            return replace(
                self,
                tally=tally,
                stage=event.stage,
                step=event.step + 1,
                horizon=event.horizon,
                ess=None,  # of a start, which is over
                rewritten=event.divergence if moved else self.rewritten,
                growing=(),
                strip=(self.strip + mark)[-STRIP:],
                log_p=history,
            )
        return replace(self, tally=tally, growing=())

    def asked(self, answer: Tokens) -> ChainView:
        """The chain wants the token after `answer`: what goes beyond its state is a growing proposal."""
        state = self.tally.state.tokens
        choosing = len(self.tally.members) > 1 and self.tally.log_z is None
        if choosing and answer[: len(state)] != state:
            return self  # another of the answers that the run holds
        shared = common_prefix(state, answer)
        return replace(self, growing=answer[shared:], branch=shared)


class Cost(NamedTuple):
    """In plain answers: tokens, time where that was measured, and which answer the plain one is (runs/tally.py)."""

    tokens: float
    time: float | None
    of: str

    def __str__(self) -> str:
        return f"{self.short()} of {self.of}"

    def short(self) -> str:
        """Without the answer that is counted against."""
        return f"{self.tokens:.1f}x tokens" + ("" if self.time is None else f", {self.time:.1f}x time")


@dataclass(frozen=True, slots=True)
class Board:
    """The whole screen. reading: tokens of the prompt that are read, and how many there are; None: it is read."""

    settings: dict[str, Any]
    chains: tuple[ChainView, ...]
    reading: tuple[int, int] | None = None

    def change(self, index: int, view: ChainView) -> Board:
        """With one chain replaced."""
        chains = (*self.chains[:index], view, *self.chains[index + 1 :])
        return replace(self, chains=chains, reading=None)

    def cost(self, elapsed: float, plain_seconds: Callable[[int], float | None]) -> Cost | None:
        """What the runs cost until now; None while that is one draw. plain_seconds: of an answer of so many tokens."""
        tallies = [chain.tally for chain in self.chains]
        times = cost_multiple(tallies)
        if times is None or times <= 1.0:
            return None
        seconds = plain_seconds(round(plain_tokens(tallies)))
        return Cost(times, elapsed / seconds if seconds else None, plain_answer(tallies))

    @property
    def steps(self) -> int | None:
        """Steps a stage: as planned for a budget, or as set; None: the method makes none."""
        planned = self.chains[0].tally.planned
        steps = self.settings.get("steps")
        return planned if planned is not None else int(steps) if steps is not None else None

    @property
    def n_decoded(self) -> int:
        """Tokens drawn by all chains, the growing ones included."""
        return sum(chain.tally.n_decoded + len(chain.growing) for chain in self.chains)

    def remaining(self) -> int:
        """Tokens that chain 0 is still expected to draw: half a horizon a step, a block an extension."""
        chain, last = self.chains[0], int(self.settings["max_tokens"])
        steps = self.steps
        n = len(chain.tally.state)
        if steps is None:
            return max(last - n - len(chain.growing), 0)
        block = int(self.settings["block"])
        left = (steps - chain.step) * min(n, max(chain.horizon, 1)) // 2
        horizon = chain.horizon
        if chain.tally.state.ended:
            return left + (steps * n // 2 if horizon < last else 0)
        while horizon < last:
            horizon = min(horizon + block, last)
            left += block + steps * horizon // 2
        return left


def fresh(settings: dict[str, Any], n_chains: int) -> Board:
    """Before the first event."""
    return Board(settings, tuple(ChainView() for _ in range(n_chains)))
