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
from typing import Any

from localpower.chance import Dice
from localpower.completion import PLAIN, Completion, Rules
from localpower.drafts import Drafts, Mode
from localpower.errors import UsageProblem
from localpower.events import Event, Stepped
from localpower.model import Model, Tokens
from localpower.samplers.base import finished, grow, require
from localpower.samplers.cuts import CutLaw, RestartCuts, UniformCuts
from localpower.samplers.kernel import ALL_SAVERS, ChainState, Savers, StepInfo, step
from localpower.samplers.prefetch import Task, in_order
from localpower.samplers.race import PLAIN_FORM, Form
from localpower.samplers.tries import step_of_tries
from localpower.width import best_width


@dataclass(frozen=True, slots=True)
class PowerMH:
    """The chain: `steps` steps at each stage. Raises UsageProblem for settings that can never be right.

    form: how a step proposes and decides (race.py, tries.py).
    prefetch: proposals in one batch; adaptive: as many up to there as the model's cost and the chain's moves so far
    make worth it. drafts: rows ahead where tokens can be guessed. None of the three changes the chain.
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
    form: Form = PLAIN_FORM
    drafts: Mode = "off"

    def __post_init__(self) -> None:
        """Check the settings."""
        require("--alpha", self.alpha, 1.0)
        require("--max-tokens", self.max_tokens, 1)
        require("--block", self.block, 1)
        require("--steps", self.steps, 0)
        require("--prefetch", self.prefetch, 1)
        require("--staged", self.form.staged, 0)
        require("--tries", self.form.tries, 1)
        if self.form.tries > 1 and (self.form.staged or self.form.metropolised):
            raise UsageProblem("--tries goes with neither --staged nor --metropolised")
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
            **{
                name: value
                for name, value in self.form._asdict().items()
                if value != getattr(PLAIN_FORM, name)
            },
        }

    def run(self, model: Model, prompt: Tokens, dice: Dice) -> Iterator[Event]:
        """All stages. Draws are keyed: move k of the chain, extension or step, uses `dice.spawn(k)`."""
        state = Completion()
        drafts = None if self.drafts == "off" else Drafts(prompt, always=self.drafts == "on")
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
                    drafts=drafts,
                )
                move += 1
            index = 0
            while index < self.steps and state.n_drawn:
                width = self._width(model, moved, tried)
                steps = islice(
                    self._steps(model, dice, move, state, horizon, prompt, drafts), self.steps - index
                )
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
        self,
        model: Model,
        dice: Dice,
        move: int,
        state: Completion,
        horizon: int,
        prompt: Tokens,
        drafts: Drafts | None,
    ) -> Iterator[Task]:
        """Steps from one state, from move number `move` on, each ready to be run on a model."""
        if drafts is not None:
            drafts.state = state.tokens
        for key in count(move):
            model.pin(prompt + state.tokens)
            yield partial(
                step if self.form.tries == 1 else step_of_tries,
                dice.spawn(key),
                ChainState(state, horizon),
                prompt=prompt,
                alpha=self.alpha,
                temperature=self.temperature,
                cuts=self.cuts,
                rules=self.rules,
                savers=self.savers,
                form=self.form,
                drafts=drafts,
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
        log_others=info.log_others,
    )
