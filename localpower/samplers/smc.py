"""Sequential Monte Carlo: particles that grow together and are resampled by how well they do (Power-SMC).

Target   p(x | prompt)^alpha, through p(x_1..t)^alpha_t for unfinished answers: alpha_t rises from 1 to alpha over the
         first `ramp` tokens. Asymptotically exact: for any number of particles E[Z-hat sum_i W_i f(x_i)] = sum_x
         p(x)^alpha f(x), with Z-hat the tracked normaliser (tests/samplers/test_populations.py enumerates it with
         ramp, early ends and resampling); one answer drawn by weight is biased for few particles, tends to p^alpha.
Step     token t is drawn from q_t ∝ p^alpha_t, so that its weight Z_t = sum_v p(v)^alpha_t is known from the prefix:
         the particles are weighed and resampled *before* they draw, and no draw is thrown away. What ramps later,
         p(x_<t)^(alpha_t - alpha_(t-1)), enters for all, finished ones too, until the ramp has ended.
Resample when the effective sample size is below `ess` of the particles; systematic, one uniform. Their log-weights are
         then 0 and log Z-hat has gained the log of their mean, so that runs of any size combine by Z-hat.
Source   Azizi et al., arXiv 2602.10273. Differs from its code: no top-p, no ban on early ends, no stop on a pattern;
         the proposal follows the ramp; finished particles follow it too; rounds keep their normaliser.
Cost     a row a particle and token, one batch a token; contexts share what they have in common.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from localpower.chance import Dice
from localpower.completion import PLAIN, Completion, Floats, Rules, Writer
from localpower.events import Chosen, Event, Resampled
from localpower.methods import Method, Target, alpha_setting, setting
from localpower.model import Model, Tokens
from localpower.readers import MOST_RUNS, number, whole
from localpower.samplers.base import Guarantee, finished, require
from localpower.samplers.budget import Budget, BudgetMeter, Room
from localpower.samplers.population import (
    Choosing,
    Member,
    common,
    effective,
    log_mean,
    look,
    members,
    shares,
    tell,
)

_PARTICLES = 8


@dataclass(frozen=True, slots=True)
class PowerSMC:
    """Particles with a ramp. ess: share of the particles below which they are resampled; 0: never, 1: always.

    every: tokens between two looks at the effective sample size. proposal: temperature of the law whose log q is
    recorded, of a chain that begins here; None: of the law that drew. Raises UsageProblem for what can never be right.
    """

    alpha: float = 4.0
    max_tokens: int = 256
    particles: int = _PARTICLES
    ramp: int = 32
    ess: float = 0.5
    every: int = 1
    rules: Rules = PLAIN
    method: str = "smc"
    budget: Budget | None = None
    proposal: float | None = None
    guarantee: ClassVar[Guarantee] = "asymptotic"  # in the number of particles

    def __post_init__(self) -> None:
        """Check the settings."""
        require("--alpha", self.alpha, 1.0)
        require("--max-tokens", self.max_tokens, 1)
        require("particles", self.particles, 1)
        require("ramp", self.ramp, 0)
        require("ess", self.ess, 0.0, 1.0)

    @property
    def width(self) -> int:
        """All at once."""
        return self.particles

    def settled(self, members: Sequence[Completion]) -> int:
        """What all particles begin with: they are drawn on, and go on from each other."""
        return common(members, self.particles)

    def settings(self) -> dict[str, Any]:
        """Plain JSON values."""
        own = ("max_tokens", "particles", "ramp", "ess", "every")
        temperatures = {"alpha": self.alpha, "temperature": 1.0 / self.alpha}
        return temperatures | {name: getattr(self, name) for name in own}

    def expected_cost(self) -> float:
        """An answer a particle; those that say the same share rows, but are drawn each."""
        return float(self.particles)

    def fit(self, room: Room) -> tuple[PowerSMC, str]:
        """As many particles as fit at their own speed."""
        n = room.answers(self.max_tokens, self.particles, given="particles" in room.given)
        return replace(self, particles=n), f"particles={n}"

    def exponent(self, t: int) -> float:
        """alpha_t of the t-th token, from 1; the prompt alone has exponent 1."""
        return self.alpha if t >= self.ramp else 1.0 + (self.alpha - 1.0) * t / self.ramp

    def run(self, model: Model, prompt: Tokens, dice: Dice) -> Iterator[Event]:
        """Slot i draws from `dice.spawn(i)`, resampling and the choice from `dice.spawn(particles)`."""
        meter = BudgetMeter(self.budget, self.max_tokens)
        _, answer = yield from self.choose(model, prompt, dice, meter)
        yield finished(answer, self.rules, budget=meter.out)

    def choose(self, model: Model, prompt: Tokens, dice: Dice, meter: BudgetMeter) -> Choosing:
        """A run up to the choice; returns which particle it fell on, and its answer."""
        n = self.particles
        group = members(dice, [Completion()] * n, self.max_tokens, model, self.rules)
        own = dice.spawn(n)
        told, log_z, t = [0] * n, 0.0, 0
        log_p = np.zeros(n)  # of each answer so far
        while live := look(model, prompt, group, 1.0 / self.exponent(t + 1)):
            if not meter.allows(len(live)):
                break
            t += 1
            self._weigh(group, log_p, t)
            if t % self.every == 0:
                log_w = np.array([member.log_w for member in group])
                size, parents = effective(log_w), None
                if size < self.ess * n or self.ess == 1.0:
                    parents = systematic(own, shares(log_w))
                    log_z += log_mean(log_w)
                    yield from tell(group, told, self.max_tokens, everything=True)
                    group = [self._child(group, i, parents[i], model) for i in range(n)]
                    log_p = log_p[list(parents)]
                    told = [told[parent] for parent in parents]
                yield Resampled(t, self.exponent(t), size, log_z, tuple(log_w.tolist()), parents)
            for i, member in enumerate(group):
                if member.row is not None:
                    recorded = member.row.at(self.proposal) if self.proposal else None
                    log_p[i] += member.writer.draw(member.dice, member.row, recorded=recorded)[0]
            yield from tell(group, told, self.max_tokens)
        rest = (self.alpha - self.exponent(t)) * log_p
        log_w = np.array([member.log_w for member in group]) + rest
        yield from tell(group, told, self.max_tokens, everything=True)
        chosen = own.pick(shares(log_w))
        yield Chosen(chosen, tuple(log_w.tolist()), log_z + log_mean(log_w))
        return chosen, group[chosen].writer.completion()

    def _weigh(self, group: list[Member], log_p: Floats, t: int) -> None:
        """Weights of token t, before it is drawn."""
        rise = self.exponent(t) - self.exponent(t - 1) if t > 1 else 0.0
        for member, total in zip(group, log_p.tolist(), strict=True):
            if rise:
                member.log_w += rise * total
            if member.row is not None:
                member.log_w += member.row.log_step()

    def _child(self, group: list[Member], slot: int, parent: int, model: Model) -> Member:
        """The parent's answer and row with the slot's stream."""
        old = group[parent]
        writer = Writer(old.writer.completion(), self.max_tokens, model.eos, self.rules)
        return Member(group[slot].dice, writer, 0.0, old.row)


def systematic(dice: Dice, weights: Floats) -> tuple[int, ...]:
    """Parents of n slots by weights (n,) that sum to 1: slot i takes the particle at (u + i) / n of the running sum.

    The parents are the same for all u between two breakpoints; which interval u falls into is one `pick`.
    """
    n = len(weights)
    ends = np.minimum(np.cumsum(weights) * n, n)
    ends[-1] = n
    breaks = np.unique(np.concatenate(((0.0, 1.0), np.mod(ends[:-1], 1.0))))
    interval = dice.pick(np.diff(breaks))
    u = 0.5 * (breaks[interval] + breaks[interval + 1])
    parents = np.searchsorted(ends, u + np.arange(n), side="right")
    return tuple(int(parent) for parent in np.minimum(parents, n - 1))


@dataclass(frozen=True, kw_only=True)
class SMC(Method):
    """Answers that grow together and are resampled by how well they do towards p^alpha."""

    name = "smc"
    guarantee = "asymptotic"
    traces = True
    alpha: float | None = alpha_setting()
    particles: int | None = setting(
        None,
        whole(1, MOST_RUNS),
        "Answers that grow together.",
        f"{_PARTICLES}, or as many as budget has room for",
    )
    ramp: int = setting(32, whole(0), "Tokens over which alpha rises from 1.")
    ess: float = setting(
        0.5, number(0.0, 1.0), "Particles are resampled when fewer than this share are effective."
    )

    def sampler(self, target: Target) -> PowerSMC:
        """The particles."""
        alpha, particles = self.power(target.alpha), self.particles or _PARTICLES
        return PowerSMC(
            alpha, target.max_tokens, particles, self.ramp, self.ess, rules=target.rules, method=self.name
        )
