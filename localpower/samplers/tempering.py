"""Parallel power tempering: chains at rising exponents that exchange their answers.

Target   prod_k p(x_k | prompt)^alpha_k over K rungs, alpha = alpha_1 > ... > alpha_K; the answer is the first rung's,
         whose law is p^alpha exactly, finished answers included: every rung's step is the kernel of mh.py at its own
         exponent, a swap exchanges whole answers at one horizon (tests/samplers/test_tempering.py enumerates both).
Round    a step of every rung, all in one batch; then for k = K-1 .. 1 rungs k and k+1 swap with probability
         min(1, exp((alpha_k - alpha_(k+1)) (log p(x_(k+1)) - log p(x_k)))).
After a  swap the recorded log q is no longer the rung's: log sum p^a is kept with every token for every rung's exponent
         a, so that log q = a log p - log sum p^a is known for each (what the shared-prefix skip draws from).
Stages   as in mh.py; finished answers stay in play.
Source   Theodoropoulos et al., arXiv 2609.38104; the cut law's factor n_x/n_y is their App. B.2.
Cost     K chains in one batch.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from localpower.chance import Dice
from localpower.completion import PLAIN, Completion, Rules, extend
from localpower.errors import UsageProblem
from localpower.events import Event, Extended, Swapped
from localpower.methods import Target, setting
from localpower.model import Model, Tokens
from localpower.readers import MOST_RUNS, Reader, whole
from localpower.samplers.acceptance import HOT_CUT, StepVariant
from localpower.samplers.base import SLICE, Guarantee, finished, require
from localpower.samplers.budget import Budget, BudgetMeter, Room
from localpower.samplers.chain import STEPS, ChainMethod, expected_cost, stages, stepped
from localpower.samplers.cuts import CutLaw, RestartCuts
from localpower.samplers.kernel import ChainState, Kernel, StepInfo
from localpower.samplers.prefetch import Task, in_order

_MOST_ALPHA = 1e6


def ladder(alpha: float, rungs: int) -> tuple[float, ...]:
    """Exponents from alpha down to a third of the way between 1 and alpha, in equal ratios."""
    if rungs == 1 or alpha == 1.0:
        return (alpha,)
    low = 1.0 + (alpha - 1.0) / 3.0
    return (alpha, *(float(a) for a in np.geomspace(alpha, low, rungs)[1:]))


@dataclass(frozen=True, slots=True)
class TemperingSampler:
    """Rungs with `steps` rounds a stage. rungs: their exponents, falling from alpha; the first one answers.

    Raises UsageProblem for settings that can never be right.
    """

    alpha: float = 4.0
    max_tokens: int = 256
    block: int = 256
    steps: int = 5
    rungs: tuple[float, ...] = ()
    cuts: CutLaw = field(default_factory=RestartCuts)
    rules: Rules = PLAIN
    variant: StepVariant = HOT_CUT
    method: str = "tempering"
    budget: Budget | None = None

    def __post_init__(self) -> None:
        """Check the settings."""
        require("--alpha", self.alpha, 1.0)
        require("--max-tokens", self.max_tokens, 1)
        require("block", self.block, 1)
        require("--steps", self.steps, 0)
        if not self.rungs:
            object.__setattr__(self, "rungs", ladder(self.alpha, 4))
        for rung in self.rungs:
            require("rungs", rung, 1.0)
        if list(self.rungs) != sorted(set(self.rungs), reverse=True) or self.rungs[0] != self.alpha:
            raise UsageProblem(f"the rungs must differ, and the highest must be alpha, {self.alpha:g}")

    @property
    def guarantee(self) -> Guarantee:
        """As of the chain at its first rung."""
        return "invariant" if self.steps > 0 or self.alpha == 1.0 else "approximate"

    @property
    def width(self) -> int:
        """All rungs at once."""
        return len(self.rungs)

    def settings(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "alpha": self.alpha,
            "temperature": 1.0 / self.alpha,
            "max_tokens": self.max_tokens,
            "block": self.block,
            "steps": self.steps,
            "rungs": list(self.rungs),
            "cuts": self.cuts.name,
            **({"restart_weight": self.cuts.rho} if isinstance(self.cuts, RestartCuts) else {}),
            "hot_cut": self.variant.hot_cut,
        }

    def expected_cost(self) -> float:
        """As many chains as there are rungs."""
        return len(self.rungs) * expected_cost(self.cuts, self.steps, stages(self.max_tokens, self.block))

    def fit(self, room: Room) -> tuple[TemperingSampler, str]:
        """Rounds a stage that fit after the first draw of every rung; fewer rungs where not one round fits."""
        sampler, cost = (
            self,
            self.cuts.planned_cost * (stages(self.max_tokens, self.block) + 1) / 2,
        )  # of a round
        given = "rungs" in room.given  # then they only make room for the first draws
        while (n := len(sampler.rungs)) > 1:
            if n * (1.0 if given else 1.0 + cost) <= room.tokens(n) / self.max_tokens:
                break
            rungs = sampler.rungs[:-1] if given else ladder(sampler.alpha, n - 1)
            sampler = replace(sampler, rungs=rungs)
        n = len(sampler.rungs)
        steps = max(int((room.tokens(n) / self.max_tokens / n - 1.0) / cost), 0)
        sampler = replace(sampler, steps=min(steps, self.steps) if "steps" in room.given else steps)
        return sampler, f"rungs={n}, {sampler.steps} steps"

    def run(self, model: Model, prompt: Tokens, dice: Dice) -> Iterator[Event]:
        """All stages. Move m of rung k draws from `dice.spawn(k).spawn(m)`, sweep m from `dice.spawn(K).spawn(m)`."""
        n = len(self.rungs)
        meter, first, dropped = BudgetMeter(self.budget, self.max_tokens), 0, 0
        states = [Completion()] * n
        streams = [dice.spawn(k) for k in range(n + 1)]
        horizon, stage, move = min(self.block, self.max_tokens), 0, 0
        while True:
            if not all(state.complete_at(horizon) for state in states):
                meter.against(first + sum(horizon - len(x) for x in states if not x.ended), n)
                before = meter.tokens
                states = yield from self._extend(model, prompt, streams, move, states, horizon, stage, meter)
                first += meter.tokens - before
                meter.against(first, n)
                move += 1
            for index in range(self.steps):
                if meter.out or not all(state.n_drawn for state in states):
                    break
                each = None if meter.left is None else meter.left // n
                results = self.round(model, prompt, [s.spawn(move) for s in streams], states, horizon, each)
                drawn = meter.takes(
                    sum(info.n_decoded for _, info in results),
                    undecided=any(info.undecided for _, info in results),
                )
                if meter.out:  # a round is one move: all of it or nothing
                    dropped = drawn
                    break
                for k, (after, info) in enumerate(results):
                    yield stepped(stage, index, horizon, at_rung(states[k], self.rungs[k], k), info, k)
                    states[k] = after.completion
                yield from self.sweep(streams[n].spawn(move), states, stage, index)
                move += 1
            if horizon == self.max_tokens or meter.out:
                break
            ended = all(state.ended for state in states)
            horizon = self.max_tokens if ended else min(horizon + self.block, self.max_tokens)
            stage += 1
        yield finished(states[0], budget=meter.out, n_dropped=dropped)

    def _extend(
        self,
        model: Model,
        prompt: Tokens,
        streams: list[Dice],
        move: int,
        states: list[Completion],
        horizon: int,
        stage: int,
        meter: BudgetMeter,
    ) -> Generator[Event, None, list[Completion]]:
        """Every open rung goes on to the horizon, slice by slice, as far as the budget goes."""
        own = [streams[k].spawn(move) for k in range(len(states))]
        states = list(states)
        while not all(state.complete_at(horizon) for state in states):
            before = [len(state) for state in states]
            open_ones = sum(not state.complete_at(horizon) for state in states)
            size = SLICE if meter.left is None else min(SLICE, meter.left // open_ones)
            if not size:
                meter.out = True
                break
            tasks = [
                partial(self._grow, own[k], state, k, min(len(state) + size, horizon), prompt)
                for k, state in enumerate(states)
            ]
            states = list(in_order(model, iter(tasks), len(states)))
            meter.takes(sum(state.tail(n).n_drawn for n, state in zip(before, states, strict=True)))
            for k, state in enumerate(states):
                if len(state) > before[k]:
                    yield Extended(stage, horizon, before[k], state.tail(before[k]), k)
        return states

    def _grow(
        self, dice: Dice, state: Completion, rung: int, until: int, prompt: Tokens, model: Model
    ) -> Completion:
        return extend(
            dice,
            model,
            prompt,
            state,
            until,
            temperature=1.0 / self.rungs[rung],
            rules=self.rules,
            exponents=self.rungs,
        )

    def round(
        self,
        model: Model,
        prompt: Tokens,
        dice: Sequence[Dice],
        states: Sequence[Completion],
        horizon: int,
        allowance: int | None = None,
    ) -> list[tuple[ChainState, StepInfo]]:
        """A step of every rung, from one batch. Every state must hold a drawn token; allowance: tokens of each."""
        tasks = (self._step(dice[k], state, k, horizon, prompt, allowance) for k, state in enumerate(states))
        return list(in_order(model, tasks, len(states)))

    def _step(
        self, dice: Dice, state: Completion, rung: int, horizon: int, prompt: Tokens, allowance: int | None
    ) -> Task:
        """A step at the rung's exponent, ready to be run on a model."""
        alpha = self.rungs[rung]
        kernel = Kernel(alpha, 1.0 / alpha, self.cuts, self.rules, self.variant, exponents=self.rungs)
        here = ChainState(at_rung(state, alpha, rung), horizon)
        return partial(kernel.step, dice, here, prompt=prompt, allowance=allowance)

    def sweep(self, dice: Dice, states: list[Completion], stage: int, index: int) -> Iterator[Event]:
        """Neighbours exchange their answers, from the lowest pair up."""
        for k in reversed(range(len(states) - 1)):
            threshold = dice.threshold()
            log_ratio = swap_ratio(self.rungs[k], self.rungs[k + 1], states[k], states[k + 1])
            accepted = threshold.below(log_ratio)
            if accepted:
                states[k], states[k + 1] = states[k + 1], states[k]
            yield Swapped(stage, index, k, threshold.log_u, log_ratio, accepted)


def swap_ratio(high: float, low: float, x_high: Completion, x_low: Completion) -> float:
    """log of the ratio of the product law after and before two rungs exchange their answers."""
    return (high - low) * (x_low.total_log_p() - x_high.total_log_p())


def at_rung(x: Completion, alpha: float, rung: int) -> Completion:
    """The same answer with log q of the rung's proposal: alpha log p - log sum p^alpha."""
    if not len(x):
        return x
    return replace(x, log_q=np.minimum(alpha * x.log_p - x.log_z[:, rung], 0.0))


def _read_rungs(text: str) -> int | tuple[float, ...]:
    """How many, or their exponents, the largest first. Raises ValueError."""
    if text.isascii() and text.isdigit():
        return int(whole(1, MOST_RUNS).read(text))
    rungs = tuple(sorted(map(float, text.split(",")), reverse=True))
    if not all(1.0 <= rung <= _MOST_ALPHA for rung in rungs):
        raise ValueError
    return rungs


@dataclass(frozen=True, kw_only=True)
class Tempering(ChainMethod):
    """Chains at rising exponents that exchange their answers."""

    name = "tempering"
    guarantee = "invariant"
    rungs: int | tuple[float, ...] = setting(
        4,
        Reader("a number of rungs, or exponents separated by commas", _read_rungs),
        "How many exponents up to alpha, or which.",
    )

    def power(self, usual: float) -> float:
        """Exponents that are named say it themselves."""
        if self.alpha is None and isinstance(self.rungs, tuple):
            return max(self.rungs)
        return super().power(usual)

    def sampler(self, target: Target) -> TemperingSampler:
        """The ladder."""
        alpha = self.power(target.alpha)
        return TemperingSampler(
            alpha,
            target.max_tokens,
            self.block or target.max_tokens,
            STEPS if self.steps is None else self.steps,
            ladder(alpha, self.rungs) if isinstance(self.rungs, int) else self.rungs,
            self.cut_law,
            target.rules,
            StepVariant(self.hot_cut),
        )
