"""Power sampling by Metropolis-Hastings.

Target   pi_H(x) ∝ p(x | prompt)^alpha over completions that end within H tokens or are exactly H long.
         The step below leaves pi_H exactly invariant, whatever the proposal temperature, with answers that
         end, stops and given tokens: detailed balance in tests/samplers/test_mh.py.
Step     cut c ~ kappa(. | x); u ~ U(0,1); y = x[:c] + suffix drawn from q to its end or to H;
         accept iff log u < [log_w(y, c) + log kappa(c | y)] - [log_w(x, c) + log kappa(c | x)],
         log_w = sum of alpha*log_p - log_q over the *whole* suffix of each.
Stages   H = block, 2*block, ..., max_tokens: unfinished states are extended when H grows, finished ones stay;
         once the answer has ended the next stage is max_tokens, and the last stage always runs there.
         Blocks are a warm start, no part of the kernel.
Source   Karan & Du 2025, arXiv 2510.14901, Algorithm 1. Differs from the released code wherever an answer
         ends early: that code caps proposals at the current length, truncates the ratio and omits
         kappa (see tests/mutants.py, where the same test rejects each of its rules).
Cost     one suffix decode a step; the prefix's KV is reused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from localpower.chance import Dice
from localpower.completion import PLAIN, Completion, Rules, extend
from localpower.errors import UsageProblem
from localpower.events import Event, Stepped
from localpower.model import Model, Tokens
from localpower.samplers.base import finished, grow, require
from localpower.samplers.cuts import CutLaw, UniformCuts


class ChainState(NamedTuple):
    """What the next step needs: a completion that is complete at `horizon`."""

    completion: Completion
    horizon: int


class StepInfo(NamedTuple):
    """What a human needs. Signs: log_ratio = log_w_y + log_kappa_y - log_w_x - log_kappa_x."""

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
) -> tuple[ChainState, StepInfo] | None:
    """One step of the kernel in the module's first lines. None: nothing was drawn, so nothing can be redrawn."""
    x, horizon = state
    if x.n_drawn == 0:
        return None
    cut = cuts.pick(dice, x)
    threshold = dice.threshold()
    y = extend(dice, model, prompt, x.head(cut), horizon, temperature=temperature, rules=rules)
    log_w_x, log_w_y = x.log_w(alpha, cut), y.log_w(alpha, cut)
    log_kappa_x, log_kappa_y = cuts.log_kappa(x, cut), cuts.log_kappa(y, cut)
    log_ratio = log_w_y + log_kappa_y - log_w_x - log_kappa_x
    accepted = threshold.below(log_ratio)
    info = StepInfo(
        cut,
        y,
        divergence(x, y),
        threshold.log_u,
        log_w_x,
        log_w_y,
        log_kappa_x,
        log_kappa_y,
        log_ratio,
        accepted,
    )
    return ChainState(y if accepted else x, horizon), info


def divergence(x: Completion, y: Completion) -> int | None:
    """First position at which two completions differ, the shorter one's end included; None if equal."""
    if x == y:
        return None
    pairs = zip(x.tokens, y.tokens, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(x), len(y)))


@dataclass(frozen=True, slots=True)
class PowerMH:
    """The chain: `steps` steps at each stage. Raises UsageProblem for settings that can never be right."""

    alpha: float = 4.0
    temperature: float = 0.25
    max_tokens: int = 256
    block: int = 64
    steps: int = 5
    cuts: CutLaw = field(default_factory=UniformCuts)
    rules: Rules = PLAIN
    method: str = "power"

    def __post_init__(self) -> None:
        """Check the settings."""
        require("--alpha", self.alpha, 1.0)
        require("--max-tokens", self.max_tokens, 1)
        require("--block", self.block, 1)
        require("--steps", self.steps, 0)
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
        }

    def run(self, model: Model, prompt: Tokens, dice: Dice) -> Iterator[Event]:
        """All stages. Draws are keyed: move k of the chain, extension or step, uses `dice.spawn(k)`."""
        state = Completion()
        horizon, stage, move = min(self.block, self.max_tokens), 0, 0
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
            for index in range(self.steps):
                model.pin(prompt + state.tokens)
                result = step(
                    dice.spawn(move),
                    ChainState(state, horizon),
                    model,
                    prompt,
                    alpha=self.alpha,
                    temperature=self.temperature,
                    cuts=self.cuts,
                    rules=self.rules,
                )
                move += 1
                if result is None:
                    break
                (after, _), info = result
                yield _stepped(stage, index, horizon, state, info)
                state = after
            if horizon == self.max_tokens:
                break
            horizon = self.max_tokens if state.ended else min(horizon + self.block, self.max_tokens)
            stage += 1
        yield finished(state)


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
        n_decoded=suffix.n_drawn,
        suffix=suffix,
    )
