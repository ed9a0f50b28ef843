"""Power sampling by Metropolis-Hastings.

Target   pi_H(x) ∝ p(x | prompt)^alpha over completions that end within H tokens or are exactly H long.
         The step below leaves pi_H exactly invariant, whatever the proposal temperature, with answers that
         end, stops and given tokens: detailed balance in tests/samplers/test_mh.py.
Step     cut c ~ kappa(. | x); u ~ U(0,1); y = x[:c] + suffix drawn from q to its end or to H;
         accept iff log u < [log_w(y, c) + log kappa(c | y)] - [log_w(x, c) + log kappa(c | x)],
         log_w = sum of alpha*log_p - log_q over the *whole* suffix of each.
Savers   The same kernel for less. Skip: where y leaves x is drawn from the recorded log_q, so that what they share is
         never evaluated again, nor anything at all when y = x; the sums begin where they part, for what is before
         cancels. Early rejection: no token adds to log_w (completion.log_w) and kappa(c | y) falls as y grows, so
         once the ratio is below u it stays there and y is given up; the decision is the same, u being drawn first.
Stages   H = block, 2*block, ..., max_tokens: unfinished states are extended when H grows, finished ones stay;
         once the answer has ended the next stage is max_tokens, and the last stage always runs there.
         Blocks are a warm start, no part of the kernel.
Source   Karan & Du 2025, arXiv 2510.14901, Algorithm 1. Differs from the released code wherever an answer
         ends early: that code caps proposals at the current length, truncates the ratio and omits
         kappa (see tests/mutants.py, where the same test rejects each of its rules). Early rejection: Solonen et
         al. 2012.
Cost     one decode a step of what follows the divergence, at most; the prefix's KV is reused.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import count, islice
from typing import Any, NamedTuple

import numpy as np

from localpower.chance import Dice, Threshold
from localpower.completion import PLAIN, Completion, Rules, extend
from localpower.errors import UsageProblem
from localpower.events import Event, Stepped
from localpower.model import Model, Tokens
from localpower.samplers.base import finished, grow, require
from localpower.samplers.cuts import CutLaw, RestartCuts, UniformCuts, rank_of
from localpower.samplers.prefetch import Task, in_order
from localpower.width import best_width


class ChainState(NamedTuple):
    """What the next step needs: a completion that is complete at `horizon`."""

    completion: Completion
    horizon: int


class Savers(NamedTuple):
    """Which savers are on. Off only for comparison: the law is the same, the cost is not."""

    skip: bool = True
    early: bool = True


ALL_SAVERS = Savers()


class StepInfo(NamedTuple):
    """What a human needs. Signs: log_ratio = log_w_y + log_kappa_y - log_w_x - log_kappa_x.

    log_w: sums from the divergence on. early: the proposal was given up unfinished; its terms are the upper bounds
    that decided.
    """

    cut: int
    proposal: Completion
    divergence: int | None
    log_u: float
    log_w_x: float
    log_w_y: float
    log_kappa_x: float
    log_kappa_y: float
    log_ratio: float
    accepted: bool
    early: bool
    n_decoded: int


def step(
    dice: Dice,
    state: ChainState,
    model: Model,
    prompt: Tokens,
    *,
    alpha: float,
    temperature: float,
    cuts: CutLaw,
    rules: Rules = PLAIN,
    savers: Savers = ALL_SAVERS,
) -> tuple[ChainState, StepInfo] | None:
    """One step of the kernel in the module's first lines. None: nothing was drawn, so nothing can be redrawn."""
    x, horizon = state
    if x.n_drawn == 0:
        return None
    cut = cuts.pick(dice, x)
    threshold = dice.threshold()
    log_kappa_x = cuts.log_kappa(x, cut)
    parting = part(dice, x, cut) if savers.skip else cut
    if parting is None:
        free = StepInfo(
            cut, x, None, threshold.log_u, 0.0, 0.0, log_kappa_x, log_kappa_x, 0.0, True, False, 0
        )
        return state, free
    race = Race(threshold, x, cut, parting, alpha, cuts, rules)
    y = extend(
        dice,
        model,
        prompt,
        x.head(parting),
        horizon,
        temperature=temperature,
        rules=rules,
        unlike=x.tokens[parting] if savers.skip else None,
        watch=race if savers.early else race.without_bounds(),
    )
    early = not y.complete_at(horizon)
    log_kappa_y = race.log_kappa(unfinished=early)
    log_ratio = race.log_w + log_kappa_y - race.log_w_x - log_kappa_x
    accepted = not early and threshold.below(log_ratio)
    info = StepInfo(
        cut,
        y,
        divergence(x, y),
        threshold.log_u,
        race.log_w_x,
        race.log_w,
        log_kappa_x,
        log_kappa_y,
        log_ratio,
        accepted,
        early,
        y.tail(parting).n_drawn,
    )
    return ChainState(y if accepted else x, horizon), info


def part(dice: Dice, x: Completion, cut: int) -> int | None:
    """Where a redraw of x from `cut` on first draws another token than x has there; None: nowhere.

    P(it follows x as far as s) = prod of q(x_j) for cut <= j <= s, by the chain rule: known without a model.
    """
    log_q = np.minimum(x.log_q[cut:], 0.0)
    follows = np.exp(np.concatenate(((0.0,), np.cumsum(log_q))))
    i = dice.pick(np.concatenate((follows[:-1] * -np.expm1(log_q), follows[-1:])))
    return None if i == len(log_q) else cut + i


class Race:
    """Follows a proposal y as it grows beyond `parting` and says when it can only be rejected.

    log_w: sum of y's terms so far.
    """

    def __init__(
        self,
        threshold: Threshold,
        x: Completion,
        cut: int,
        parting: int,
        alpha: float,
        cuts: CutLaw,
        rules: Rules,
    ) -> None:
        self._threshold, self._alpha, self._cuts = threshold, alpha, cuts
        gains = cuts.gains(x)
        self._rank, self._gain = rank_of(x, cut), float(gains[cut])
        self._n = rank_of(x, parting) - 1
        self._total = float(np.add.accumulate(gains[:parting])[-1]) if parting else 0.0
        self._before = float(next(iter(x.entropy[:parting][~x.given[:parting]][::-1]), 0.0))
        self._another = (
            rules.given is PLAIN.given
        )  # whether what is not complete will draw at least one more token
        self._bounded = True
        self.log_w, self.log_w_x = 0.0, x.log_w(alpha, parting)
        self._log_kappa_x = cuts.log_kappa(x, cut)

    def without_bounds(self) -> Race:
        """The same, but it never stops anything."""
        self._bounded = False
        return self

    def drawn(self, log_p: float, log_q: float, entropy: float, *, complete: bool) -> bool:
        """As in `Watch`."""
        self._n += 1
        self._total += self._cuts.gain(self._n, entropy, self._before)
        self._before = entropy
        self.log_w += min(self._alpha * log_p - log_q, 0.0)
        if complete or not self._bounded:
            return False
        bound = self.log_w + self.log_kappa(unfinished=True) - self.log_w_x - self._log_kappa_x
        return not self._threshold.below(bound)

    def log_kappa(self, *, unfinished: bool) -> float:
        """log kappa(cut | y), or where y will grow an upper bound of it."""
        more = self._cuts.least(self._n + 1) if unfinished and self._another else 0.0
        return self._cuts.log_share(self._rank, self._gain, self._total + more)


def divergence(x: Completion, y: Completion) -> int | None:
    """First position at which two completions differ, the shorter one's end included; None if equal."""
    if x == y:
        return None
    pairs = zip(x.tokens, y.tokens, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(x), len(y)))


@dataclass(frozen=True, slots=True)
class PowerMH:
    """The chain: `steps` steps at each stage. Raises UsageProblem for settings that can never be right.

    prefetch: proposals in one batch; adaptive: as many up to there as the model's cost and the chain's moves so far
    make worth it. Neither changes the chain.
    """

    alpha: float = 4.0
    temperature: float = 0.25
    max_tokens: int = 256
    block: int = 64
    steps: int = 5
    cuts: CutLaw = field(default_factory=UniformCuts)
    rules: Rules = PLAIN
    method: str = "power"
    savers: Savers = ALL_SAVERS
    prefetch: int = 1
    adaptive: bool = False

    def __post_init__(self) -> None:
        """Check the settings."""
        require("--alpha", self.alpha, 1.0)
        require("--max-tokens", self.max_tokens, 1)
        require("--block", self.block, 1)
        require("--steps", self.steps, 0)
        require("--prefetch", self.prefetch, 1)
        if not 1.0 / self.alpha <= self.temperature * (1 + 1e-12) or not self.temperature <= 1.0:
            raise UsageProblem(
                f"--temperature of a power proposal must be between 1/alpha = {1 / self.alpha:g} "
                f"and 1, got {self.temperature:g}"
            )

    @property
    def kernel(self) -> str:
        """With no step at all only the low-temperature draw is left."""
        return "exact" if self.steps > 0 or self.alpha == 1.0 else "approximate"

    def settings(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "alpha": self.alpha,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "block": self.block,
            "steps": self.steps,
            "cuts": self.cuts.name,
            **({"rho": self.cuts.rho} if isinstance(self.cuts, RestartCuts) else {}),
        }

    def run(self, model: Model, prompt: Tokens, dice: Dice) -> Iterator[Event]:
        """All stages. Draws are keyed: move k of the chain, extension or step, uses `dice.spawn(k)`."""
        state = Completion()
        horizon, stage, move, moved, tried = min(self.block, self.max_tokens), 0, 0, 0, 0
        while True:
            if not state.complete_at(horizon):
                state = yield from grow(
                    dice.spawn(move),
                    model,
                    prompt,
                    state,
                    horizon,
                    temperature=self.temperature,
                    rules=self.rules,
                    stage=stage,
                )
                move += 1
            index = 0
            while index < self.steps and state.n_drawn:
                width = self._width(model, moved, tried)
                steps = islice(self._steps(model, dice, move, state, horizon, prompt), self.steps - index)
                with closing(in_order(model, steps, width)) as results:
                    for after, info in results:
                        yield _stepped(stage, index, horizon, state, info)
                        index, move, tried = index + 1, move + 1, tried + 1
                        if info.accepted and info.divergence is not None:
                            state, moved = after.completion, moved + 1
                            break
            if horizon == self.max_tokens:
                break
            horizon = self.max_tokens if state.ended else min(horizon + self.block, self.max_tokens)
            stage += 1
        yield finished(state)

    def _steps(
        self, model: Model, dice: Dice, move: int, state: Completion, horizon: int, prompt: Tokens
    ) -> Iterator[Task]:
        """Steps from one state, from move number `move` on, each ready to be run on a model."""
        for key in count(move):
            model.pin(prompt + state.tokens)
            yield partial(
                step,
                dice.spawn(key),
                ChainState(state, horizon),
                prompt=prompt,
                alpha=self.alpha,
                temperature=self.temperature,
                cuts=self.cuts,
                rules=self.rules,
                savers=self.savers,
            )

    def _width(self, model: Model, moved: int, tried: int) -> int:
        if not self.adaptive:
            return self.prefetch
        return best_width(model.cost, (moved + 1) / (tried + 4), self.prefetch)


def _stepped(stage: int, index: int, horizon: int, x: Completion, info: StepInfo) -> Stepped:
    suffix = info.proposal.tail(info.cut)
    return Stepped(
        stage=stage,
        step=index,
        horizon=horizon,
        cut=info.cut,
        divergence=info.divergence,
        n_x=x.n_drawn,
        n_y=info.proposal.n_drawn,
        log_u=info.log_u,
        log_w_x=info.log_w_x,
        log_w_y=info.log_w_y,
        log_kappa_x=info.log_kappa_x,
        log_kappa_y=info.log_kappa_y,
        log_ratio=info.log_ratio,
        accepted=info.accepted,
        free=info.divergence is None,
        decided_at=len(info.proposal),
        early=info.early,
        n_decoded=info.n_decoded,
        suffix=suffix,
    )
