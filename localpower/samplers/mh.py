"""Power sampling by Metropolis-Hastings.

Target   pi_H(x) ∝ p(x | prompt)^alpha over completions that end within H tokens or are exactly H long.
         The step below leaves pi_H exactly invariant, whatever the proposal temperature, with answers that
         end, stops and given tokens: detailed balance in tests/samplers/test_mh.py.
Step     cut c ~ kappa(. | x); u ~ U(0,1); y = x[:c] + suffix drawn from q to its end or to H, its first token from p;
         accept iff log u < [log_w(y, c) + log kappa(c | y)] - [log_w(x, c) + log kappa(c | x)],
         log_w = sum of alpha*log_p - log_q over the *whole* suffix of each, log_q of its first token being log_p.
Savings  The same kernel for less. Skip: where y leaves x is drawn from the recorded log_q, so that what they share is
         never evaluated again, nor anything at all when y = x; the sums begin where they part, for what is before
         cancels. Early rejection: no token adds to log_w (completion.log_w) and kappa(c | y) falls as y grows, so
         once the ratio is below u it stays there and y is given up; the decision is the same, u being drawn first.
Stages   H = block, 2*block, ..., max_tokens: unfinished states are extended when H grows, finished ones stay;
         once the answer has ended the next stage is max_tokens, and the last stage always runs there.
         Blocks are a warm start, no part of the kernel. So is what the first stage begins with (start.py).
Source   Karan & Du 2025, arXiv 2510.14901, Algorithm 1. Differs from the released code wherever an answer
         ends early: that code caps proposals at the current length, truncates the ratio and omits
         kappa (see tests/mutants.py, where the same test rejects each of its rules). Early rejection: Solonen et
         al. 2012. The hot cut is ours (acceptance.py).
Cost     one decode a step of what follows the divergence, at most; the prefix's KV is reused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from localpower.chance import Dice
from localpower.completion import PLAIN, Completion, Rules
from localpower.drafts import Mode
from localpower.errors import UsageProblem
from localpower.events import Event
from localpower.methods import Target, setting, temperature_setting
from localpower.model import Model, Tokens
from localpower.readers import MOST_RUNS, SWITCH, Reader, choice, whole
from localpower.samplers.acceptance import HOT_CUT, StepVariant
from localpower.samplers.base import Guarantee, finished, require
from localpower.samplers.budget import Budget, Room
from localpower.samplers.chain import STEPS, ChainMethod, expected_cost, stages
from localpower.samplers.cuts import CutLaw, RestartCuts
from localpower.samplers.kernel import ALL_OPTIMIZATIONS, Kernel, Optimizations
from localpower.samplers.start import DRAW, Start
from localpower.samplers.walk import Walk

_ROUNDS = 8  # of steps within a budget after the first: each leaves about half of the rest, free steps all


@dataclass(frozen=True, slots=True)
class PowerMH:
    """The chain: `steps` steps at each stage; None: as many as the budget has room for.

    Raises UsageProblem for settings that can never be right.

    variant: how a step proposes and decides (acceptance.py). start: what the chain begins with (start.py).
    prefetch: proposals in one batch; adaptive: as many up to there as the model's cost and the chain's moves so far
    make worth it. drafts: rows ahead where tokens can be guessed. None of the three changes the chain.
    """

    alpha: float = 4.0
    temperature: float = 0.25
    max_tokens: int = 256
    block: int = 256
    steps: int | None = 5
    cuts: CutLaw = field(default_factory=RestartCuts)
    rules: Rules = PLAIN
    method: str = "power"
    optimizations: Optimizations = ALL_OPTIMIZATIONS
    prefetch: int = 1
    adaptive: bool = False
    variant: StepVariant = HOT_CUT
    start: Start = DRAW
    drafts: Mode = "off"
    budget: Budget | None = None

    def __post_init__(self) -> None:
        """Check the settings."""
        require("--alpha", self.alpha, 1.0)
        require("--max-tokens", self.max_tokens, 1)
        require("block", self.block, 1)
        require("--steps", 0 if self.steps is None else self.steps, 0)
        if self.steps is None and self.budget is None:
            raise UsageProblem("--steps can only be left to a budget")
        require("prefetch", self.prefetch, 1)
        if self.rules.fresh and self.variant.metropolised:
            raise UsageProblem("metropolised=yes and --fresh-environment exclude each other")
        if self.start.n > 1:
            if self.block < self.max_tokens:
                raise UsageProblem("a start draws whole answers", "leave block at all of --max-tokens")
            self.start.sampler(
                self.alpha, self.temperature, self.max_tokens, self.rules
            )  # checks its settings
        if not 1.0 / self.alpha <= self.temperature * (1 + 1e-12) or not self.temperature <= 1.0:
            raise UsageProblem(
                f"--temperature of a power proposal must be between 1/alpha = {1 / self.alpha:g} "
                f"and 1, got {self.temperature:g}"
            )

    @property
    def guarantee(self) -> Guarantee:
        """Invariant; with no step at all only the start is left."""
        if self.steps == 0 and self.alpha != 1.0:
            return "approximate" if self.start.n == 1 else "asymptotic"
        return "invariant"

    @property
    def plans(self) -> bool:
        """Steps are planned while it runs."""
        return True

    @property
    def kernel(self) -> Kernel:
        """The step."""
        return Kernel(self.alpha, self.temperature, self.cuts, self.rules, self.variant, self.optimizations)

    @property
    def width(self) -> int:
        """All proposals at once, or all answers of the start."""
        return max(self.prefetch, self.start.n)

    def settled(self, members: Sequence[Completion]) -> int:
        """Nothing, while a step may cut anywhere; without steps all that is drawn."""
        return len(members[0]) if self.steps == 0 and self.start.n == 1 else 0

    def settings(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "alpha": self.alpha,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "block": self.block,
            "steps": self.steps,
            "cuts": self.cuts.name,
            **({"restart_weight": self.cuts.rho} if isinstance(self.cuts, RestartCuts) else {}),
            "hot_cut": self.variant.hot_cut,
            **({"metropolised": True} if self.variant.metropolised else {}),
            **({"start": str(self.start)} if self.start.n > 1 else {}),
        }

    def expected_cost(self) -> float:
        """The start, and steps that draw half of what a plan sets aside for them."""
        steps = expected_cost(self.cuts, self.steps or 0, stages(self.max_tokens, self.block))
        return self.start.n - 1.0 + steps

    def fit(self, room: Room) -> tuple[PowerMH, str]:
        """Steps are planned once the first draw is known, and then said; a start leaves room for one."""
        steps = self.steps if "steps" in room.given else None
        answers = room.answers(self.max_tokens, self.start.n + 1, given=True) - 1
        start = self.start.at_most(answers)
        words = f"start={start}" if start != self.start else ""
        return replace(self, steps=steps, start=start, budget=Budget(tokens=1)), words

    def suited(self, widest: int, most: int, *, ahead: bool) -> PowerMH:
        """The same chain with as many proposals in a batch as an engine is good for (0: none), and there is room for.

        ahead: whether the engine takes drafts.
        """
        drafts = self.drafts if ahead else "off"
        if not self.adaptive:
            return replace(self, prefetch=self.prefetch if widest else 1, drafts=drafts)
        width = min(widest, widest if self.steps is None else self.steps, most)  # more is room for nothing
        return replace(self, prefetch=max(1, width), drafts=drafts)

    def run(self, model: Model, prompt: Tokens, dice: Dice) -> Iterator[Event]:
        """All stages. Draws are keyed: move k of the chain, extension or step, uses `dice.spawn(k)`."""
        chain = Walk(self, model, prompt, dice)
        horizon, stage = min(self.block, self.max_tokens), 0
        yield from chain.begin(horizon)
        while True:
            yield from chain.grow(horizon, stage)
            if stage == 0 and self.budget and not chain.meter.out:
                yield chain.plan(self.budget)
            yield from chain.walk(horizon, stage)
            if horizon == self.max_tokens or chain.meter.out:
                break
            horizon = self.max_tokens if chain.state.ended else min(horizon + self.block, self.max_tokens)
            stage += 1
        for _ in range(_ROUNDS):
            if (planned := chain.plan_more()) is None:
                break
            yield planned
            yield from chain.walk(horizon, stage)
        yield finished(chain.state, self.rules, budget=chain.meter.out, n_dropped=chain.n_dropped)


def _read_prefetch(text: str) -> int | None:
    return None if text == "auto" else int(whole(1, MOST_RUNS).read(text))


@dataclass(frozen=True, kw_only=True)
class Power(ChainMethod):
    """A Metropolis-Hastings chain over whole answers towards p^alpha."""

    name = "power"
    guarantee = "invariant"
    traces = True
    temperature: float | None = temperature_setting()
    metropolised: bool = setting(False, SWITCH, "Whether every proposal differs from the answer so far.")
    start: Start | str = setting(
        DRAW,
        Reader("draw, smc:N or best-of-n:N", Start.of),
        "What the chain begins with: one draw, or a choice among N answers.",
    )
    prefetch: int | None = setting(
        None,
        Reader(f"auto, or a whole number from 1 to {MOST_RUNS}", _read_prefetch),
        "Proposals in one batch. It never changes a result.",
        "auto",
    )
    drafts: Mode = setting(
        "auto",
        choice("auto", "on", "off"),
        "Whether tokens that earlier text suggests are evaluated in the same batch. It never changes a result.",
    )

    def sampler(self, target: Target) -> PowerMH:
        """The chain."""
        alpha = self.power(target.alpha)
        return PowerMH(
            alpha,
            self.proposal(target.alpha),
            target.max_tokens,
            self.block or target.max_tokens,
            STEPS if self.steps is None else self.steps,
            self.cut_law,
            target.rules,
            prefetch=self.prefetch or 1,
            adaptive=self.prefetch is None,
            variant=StepVariant(self.hot_cut, self.metropolised),
            start=Start.of(str(self.start)),
            method=self.name,
            drafts=self.drafts,
        )
