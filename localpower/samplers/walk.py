"""A run of PowerMH from its first state on: how the state grows, what is planned, which steps are taken."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from itertools import count, islice
from typing import TYPE_CHECKING

from localpower.chance import Dice
from localpower.completion import Completion
from localpower.drafts import NgramDrafter
from localpower.events import Event, Planned
from localpower.model import Model, Tokens
from localpower.samplers.base import grow
from localpower.samplers.budget import Budget, BudgetMeter
from localpower.samplers.chain import stages, stepped
from localpower.samplers.kernel import ChainState, StepInfo
from localpower.samplers.prefetch import Task, in_order
from localpower.width import chance_of_move, rows_for_proposals

if TYPE_CHECKING:
    from localpower.samplers.mh import PowerMH

_AGAIN = 8  # batches after which the same question may have another answer: prices have changed
_MOST_STEPS = 4096  # in a round: where nearly all are free, a budget of tokens ends none of them


class Walk:
    """A run of PowerMH: its state, and what it has tried and meter."""

    def __init__(self, sampler: PowerMH, model: Model, prompt: Tokens, dice: Dice) -> None:
        self._sampler, self._model, self._prompt, self._dice = sampler, model, prompt, dice
        self._drafts = (
            None if sampler.drafts == "off" else NgramDrafter(prompt, always=sampler.drafts == "on")
        )
        self._move = self._tried = self._moved = 0
        self._kernel = sampler.kernel
        self._steps = sampler.steps or 0  # a stage
        self._done = 0  # of them, in this stage
        self._drawn = self._drew = 0  # tokens of the steps, and how many of them drew any
        self._each = 0.0  # tokens set aside for a step
        self._first = 0  # tokens of the first draws, before any step
        self._situation: tuple[int, ...] = ()  # that `_wide` answers, for so many batches so far
        self._wide = self._batches = 1
        self._member, self._started = 0, 1  # which of the start's answers it is, and how many there were
        self.state = Completion()
        self.meter = BudgetMeter(sampler.budget, sampler.max_tokens)
        self.n_dropped = 0

    def begin(self, horizon: int) -> Iterator[Event]:
        """Choose the first state among the answers of the start, as many as the budget has room for."""
        sampler, left = self._sampler, self.meter.left
        start = sampler.start if left is None else sampler.start.at_most(left // horizon - 1)
        if start.n == 1:
            return
        drawing = start.sampler(sampler.alpha, sampler.temperature, horizon, sampler.rules)
        self._member, self.state = yield from drawing.choose(
            self._model, self._prompt, self._dice.spawn(self._move), self.meter
        )
        self._started, self._first = start.n, self.meter.tokens
        self._move += 1

    def grow(self, horizon: int, stage: int) -> Iterator[Event]:
        """Extend the state to the horizon, or as far as the budget goes."""
        if self.state.complete_at(horizon):
            return
        kept, counted = len(self.state), self.state.n_counted
        self.meter.against(self._first + horizon - counted, self._started)
        left = self.meter.left
        self.state = yield from grow(
            self._dice.spawn(self._move),
            self._model,
            self._prompt,
            self.state,
            horizon if left is None else min(horizon, counted + left),
            temperature=self._sampler.temperature,
            rules=self._sampler.rules,
            stage=stage,
            drafts=self._drafts,
            member=self._member,
        )
        self._move += 1
        self._first += self.meter.takes(self.state.tail(kept).n_drawn)
        self.meter.against(self._first, self._started)
        self.meter.out |= not self.state.complete_at(horizon)

    def plan(self, budget: Budget) -> Planned:
        """Fix the number of steps, now that the plain draw is known, by what a step may cost of an answer."""
        sampler, drawn, used = self._sampler, self.state.n_drawn, self.meter.tokens
        complete = self.state.complete_at(sampler.max_tokens)
        rest = 0 if complete else sampler.max_tokens - drawn
        plain = (self._first + rest) / self._started
        if budget.times is not None and budget.times < 1.0:  # not even the plain draw
            self._steps = 0
            return Planned(0, self.meter.tokens)
        self.meter = BudgetMeter(budget, plain)
        self.meter.tokens = used
        allowed = self.meter.left or 0
        self.meter.against(self._first, self._started)
        n = 1 if complete else stages(sampler.max_tokens, sampler.block)
        average = int(plain) * (n + 1) / (2 * n)  # tokens of the state at a stage
        left = allowed - rest
        self._each = sampler.cuts.planned_cost * max(average, 1.0)
        fit = min(max(int(left / n / self._each), 0), _MOST_STEPS)
        self._steps = fit if sampler.steps is None else min(sampler.steps, fit)
        return Planned(self._steps, used + allowed)

    def plan_more(self) -> Planned | None:
        """Another round of the last stage, of as many steps as fit into what the budget has left; None: none does."""
        if (
            self._sampler.budget is None
            or self._sampler.steps is not None
            or self.meter.out
            or not self._each
        ):
            return None
        left = self.meter.left or 0
        more = min(int(left / max(self._each, self.state.n_drawn)), _MOST_STEPS)
        if not more or not self.state.n_drawn:
            return None
        self._steps += more
        return Planned(self._steps, self.meter.tokens + left)

    def walk(self, horizon: int, stage: int) -> Iterator[Event]:
        """The steps of a stage."""
        while self._done < self._steps and self.state.n_drawn and not self.meter.out:
            tasks = islice(self._tasks(horizon), self._steps - self._done)
            with closing(in_order(self._model, tasks, self._rows, _ends_a_round)) as results:
                for after, info in results:
                    drawn = self.meter.takes(info.n_decoded, undecided=self._undecided(info))
                    if self.meter.out:
                        self.n_dropped = drawn
                        break
                    yield stepped(stage, self._done, horizon, self.state, info, self._member)
                    self._done, self._move, self._tried = self._done + 1, self._move + 1, self._tried + 1
                    self._drawn, self._drew = self._drawn + drawn, self._drew + (drawn > 0)
                    if _moves(info):
                        self.state, self._moved = after.completion, self._moved + 1
                        break
        if horizon < self._sampler.max_tokens:
            self._done = 0

    def _undecided(self, info: StepInfo) -> bool:
        """Whether the allowance that it would have had alone, begun now, had ended before it did.

        Forced text may complete what the last allowed token did not.
        """
        if info.undecided or not info.n_decoded:
            return info.undecided
        return info.n_decoded == self.meter.left and bool(info.proposal.given[-1])

    def _tasks(self, horizon: int) -> Iterator[Task]:
        """Steps from the state, one a move number, each ready to be run on a model."""
        state = self.state
        if self._drafts is not None:
            self._drafts.state = state.tokens
        for key in count(self._move):
            self._model.pin(self._prompt + state.tokens)
            yield partial(
                self._kernel.step,
                self._dice.spawn(key),
                ChainState(state, horizon),
                prompt=self._prompt,
                drafts=self._drafts,
                allowance=self.meter.left,
            )

    def _rows(self, places: Sequence[int], begins: int) -> int:
        """How many proposals the next batch has: as set, or what their chances and the price of rows make worth it."""
        sampler = self._sampler
        if not sampler.adaptive or sampler.prefetch == 1:
            widths = range(sampler.prefetch, 1, -1)
            return next((n for n in widths if math.isfinite(self._model.cost(n))), 1)
        situation = (*places, begins, self._tried)
        if situation == self._situation and self._batches % _AGAIN:
            self._batches += 1
            return self._wide
        self._situation, self._batches = situation, 1
        left = self._steps - self._done
        ahead = [*places, *range(begins, left)][: sampler.prefetch]
        moves = [chance_of_move(self._tried + place, self._moved, self._tried) for place in ahead]
        length = (self.state.n_drawn / 2 + self._drawn) / (1 + self._drew)
        self._wide = rows_for_proposals(moves, len(places), length, self._model.cost)
        return self._wide


def _moves(info: StepInfo) -> bool:
    return info.accepted and info.divergence is not None


def _ends_a_round(result: tuple[ChainState, StepInfo]) -> bool:
    """Whether no step after this one will be from the same state."""
    return result[1].undecided or _moves(result[1])
