"""Best of n: independent answers in one batch, one of which is returned.

Target   p(x | prompt)^alpha. `weight`: one is drawn with probability proportional to w = p^alpha / q, q the law it came
         from; n finite is biased, the law tends to p^alpha as n grows (importance resampling), and the mean of w is an
         unbiased estimate of the sum of p^alpha: tests/samplers/test_populations.py has the exact law of n = 2.
         `logp`: the likeliest of the n; that law tends to a point mass, not to p^alpha.
Cost     n plain answers, n rows a batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from localpower.chance import Dice
from localpower.completion import PLAIN, Completion, Rules
from localpower.events import Chosen, Event
from localpower.methods import Method, Target, alpha_setting, setting, temperature_setting
from localpower.model import Model, Tokens
from localpower.readers import MOST_RUNS, choice, whole
from localpower.samplers.base import Guarantee, finished, require
from localpower.samplers.budget import Budget, BudgetMeter, Room
from localpower.samplers.population import Choosing, common, draw, log_mean, look, members, shares, tell

_N = 8


@dataclass(frozen=True, slots=True)
class BestOfNSampler:
    """n draws at a temperature (1: from p). Raises UsageProblem for settings that can never be right."""

    alpha: float = 4.0
    temperature: float = 0.25
    max_tokens: int = 256
    n: int = _N
    select: Literal["weight", "logp"] = "weight"
    rules: Rules = PLAIN
    method: str = "best-of-n"
    budget: Budget | None = None

    def __post_init__(self) -> None:
        """Check the settings."""
        require("--alpha", self.alpha, 1.0)
        require("--temperature", self.temperature, 1e-3)
        require("--max-tokens", self.max_tokens, 1)
        require("n", self.n, 1)

    @property
    def guarantee(self) -> Guarantee:
        """The drawn one tends to p^alpha; the likeliest does not."""
        return "asymptotic" if self.select == "weight" else "approximate"

    @property
    def width(self) -> int:
        """All at once."""
        return self.n

    def settled(self, members: Sequence[Completion]) -> int:
        """What all answers begin with."""
        return common(members, self.n)

    def settings(self) -> dict[str, Any]:
        """Plain JSON values."""
        own = ("alpha", "temperature", "max_tokens", "n", "select")
        return {name: getattr(self, name) for name in own}

    def expected_cost(self) -> float:
        """n answers."""
        return float(self.n)

    def fit(self, room: Room) -> tuple[BestOfNSampler, str]:
        """As many answers as fit at their own speed."""
        n = room.answers(self.max_tokens, self.n, given="n" in room.given)
        return replace(self, n=n), f"n={n}"

    def run(self, model: Model, prompt: Tokens, dice: Dice) -> Iterator[Event]:
        """Draw all, then choose. Member i draws from `dice.spawn(i)`, the choice from `dice.spawn(n)`."""
        meter = BudgetMeter(self.budget, self.max_tokens)
        _, answer = yield from self.choose(model, prompt, dice, meter)
        yield finished(answer, self.rules, budget=meter.out)

    def choose(self, model: Model, prompt: Tokens, dice: Dice, meter: BudgetMeter) -> Choosing:
        """A run up to the choice; returns which answer it fell on, and the answer."""
        group = members(dice, [Completion()] * self.n, self.max_tokens, model, self.rules)
        told = [0] * self.n
        while live := look(model, prompt, group, self.temperature):
            if not meter.allows(len(live)):
                break
            draw(live, self.alpha)
            yield from tell(group, told, self.max_tokens)
        yield from tell(group, told, self.max_tokens, everything=True)
        done = [member.writer.completion() for member in group]
        log_w = np.array([member.log_w for member in group])
        if self.select == "weight":
            chosen = dice.spawn(self.n).pick(shares(log_w))
        else:
            chosen = int(np.argmax([answer.total_log_p() for answer in done]))
        yield Chosen(chosen, tuple(log_w.tolist()), log_mean(log_w))
        return chosen, done[chosen]


@dataclass(frozen=True, kw_only=True)
class BestOfN(Method):
    """Independent answers, one of which is drawn by its weight towards p^alpha."""

    name = "best-of-n"
    guarantee = "asymptotic"
    traces = True
    alpha: float | None = alpha_setting()
    temperature: float | None = temperature_setting()
    n: int | None = setting(
        None, whole(1, MOST_RUNS), "Answers to choose from.", f"{_N}, or as many as budget has room for"
    )
    select: Literal["weight", "logp"] = setting(
        "weight",
        choice("weight", "logp"),
        "How one is chosen: drawn by its weight, or the likeliest, which is no draw from p^alpha.",
    )

    def sampler(self, target: Target) -> BestOfNSampler:
        """All draws and the choice."""
        alpha = self.power(target.alpha)
        temperature = self.proposal(target.alpha)
        select = "logp" if target.pick == "logp" else self.select
        return BestOfNSampler(
            alpha, temperature, target.max_tokens, self.n or _N, select, target.rules, self.name
        )
