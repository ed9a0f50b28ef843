"""LookaheadSampler: blocks are chosen by what they promise, estimated from rollouts (scalable power sampling).

Target   p(x | prompt)^alpha, approximately: candidates for the next block, each weighted by p(block)^alpha / q(block)
         times an estimate of its future, the sum of p^alpha over continuations. It is exact only when the candidates
         are all continuations and their futures are exact; with sampled ones it is biased however many rollouts there
         are (tests/samplers/test_populations.py keeps the enumerated bias of a small case as a number).
Block    L candidates of B tokens from q ∝ p^(1/temperature); of each that has not ended, M rollouts of up to B more
         tokens from q; the future is the mean of p(rollout)^alpha / q(rollout), 1 for one that has ended. Over the L
         the probabilities are jackknifed in the rollouts (eq. 5), clipped at 0, and one block is drawn.
Source   Ji et al., arXiv 2601.21590, Algorithm 2. Differs: candidates are divided by the probability they were drawn
         with, no top-K, no low-temperature remainder.
Cost     L (1 + M) plain answers, in batches of L and L M rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from localpower.chance import Dice
from localpower.completion import PLAIN, Completion, Floats, Rules
from localpower.events import Event, Extended, Looked
from localpower.methods import Method, Target, alpha_setting, setting, temperature_setting
from localpower.model import Model, Tokens
from localpower.readers import MOST_RUNS, whole
from localpower.samplers.base import Guarantee, finished, require
from localpower.samplers.budget import Budget, BudgetMeter, Room
from localpower.samplers.population import Member, draw, look, members


@dataclass(frozen=True, slots=True)
class LookaheadSampler:
    """Candidates and rollouts a block. Raises UsageProblem for settings that can never be right."""

    alpha: float = 4.0
    temperature: float = 0.25
    max_tokens: int = 256
    block: int = 16
    candidates: int = 4
    rollouts: int = 2
    rules: Rules = PLAIN
    method: str = "lookahead"
    budget: Budget | None = None
    guarantee: ClassVar[Guarantee] = "approximate"  # with any number of candidates and rollouts

    def __post_init__(self) -> None:
        """Check the settings."""
        require("--alpha", self.alpha, 1.0)
        require("--temperature", self.temperature, 1e-3)
        require("--max-tokens", self.max_tokens, 1)
        require("block", self.block, 1)
        require("candidates", self.candidates, 1)
        require("rollouts", self.rollouts, 0)

    @property
    def width(self) -> int:
        """Rollouts of all candidates at once."""
        return self.candidates * max(self.rollouts, 1)

    def settled(self, members: Sequence[Completion]) -> int:
        """Every block that is chosen."""
        return len(members[0])

    def settings(self) -> dict[str, Any]:
        """Plain JSON values."""
        own = ("alpha", "temperature", "max_tokens", "block", "candidates", "rollouts")
        return {name: getattr(self, name) for name in own}

    def expected_cost(self) -> float:
        """Candidates, each with its rollouts."""
        return float(self.candidates * (1 + self.rollouts))

    def fit(self, room: Room) -> tuple[LookaheadSampler, str]:
        """Fewer rollouts, then fewer candidates, until candidates * (1 + rollouts) plain answers fit."""
        candidates, rollouts = self.candidates, self.rollouts
        while candidates * (1 + rollouts) > max(
            room.tokens(candidates * max(rollouts, 1)) // self.max_tokens, 1
        ):
            if rollouts > 1 or candidates == 1:
                rollouts -= 1
            else:
                candidates -= 1
        looks = replace(self, candidates=candidates, rollouts=rollouts)
        return looks, f"candidates={candidates}, rollouts={rollouts}"

    def run(self, model: Model, prompt: Tokens, dice: Dice) -> Iterator[Event]:
        """Block k draws its candidates from `dice.spawn(k).spawn(0)`, rollouts from 1, the choice from 2."""
        meter = BudgetMeter(self.budget, self.max_tokens)
        state, block, told = Completion(), 0, 0
        while not state.complete_at(self.max_tokens):
            own = dice.spawn(block)
            kept, until = len(state), min(len(state) + self.block, self.max_tokens)
            group = members(own.spawn(0), [state] * self.candidates, until, model, self.rules)
            done = self._grow(model, prompt, group, meter)
            answers = [member.writer.completion() for member in group]
            log_future = np.zeros((self.candidates, max(self.rollouts, 1)))
            if done and self.rollouts and until < self.max_tokens:
                done = self._look_ahead(model, prompt, own.spawn(1), answers, meter, log_future)
            if all(len(answer) == kept for answer in answers):
                break
            weights = chances(np.array([member.log_w for member in group]), log_future)
            chosen = own.spawn(2).pick(weights)
            state = answers[chosen]
            written = state.tail(kept)
            yield Looked(block, chosen, tuple(weights.tolist()), meter.tokens - told - written.n_drawn)
            yield Extended(block, self.max_tokens, kept, written)
            told = meter.tokens
            block += 1
            if not done:  # chosen by what was known
                break
        yield finished(state, self.rules, budget=meter.out, n_dropped=meter.tokens - told)

    def _grow(self, model: Model, prompt: Tokens, group: list[Member], meter: BudgetMeter) -> bool:
        """Every member to its horizon; False: the budget does not allow it."""
        while live := look(model, prompt, group, self.temperature):
            if not meter.allows(len(live)):
                return False
            draw(live, self.alpha)
        return True

    def _look_ahead(
        self,
        model: Model,
        prompt: Tokens,
        dice: Dice,
        answers: list[Completion],
        meter: BudgetMeter,
        log_future: Floats,
    ) -> bool:
        """Fill in the weights of rollouts, (candidates, rollouts), nats; False: the budget does not allow it."""
        open_ones = [i for i, answer in enumerate(answers) if not answer.ended for _ in range(self.rollouts)]
        until = min(max((len(answer) for answer in answers), default=0) + self.block, self.max_tokens)
        starts = [answers[i] for i in open_ones]
        group = members(dice, starts, until, model, self.rules)
        if not self._grow(model, prompt, group, meter):
            return False
        for place, (i, member) in enumerate(zip(open_ones, group, strict=True)):
            log_future[i, place % self.rollouts] = member.log_w
        return True


def chances(log_block: Floats, log_future: Floats) -> Floats:
    """Probability of each block (L,) from its own log-weight (L,) and those of its rollouts (L, M), nats.

    With M > 1 the jackknife over rollouts: M p - (M - 1)/M sum_s p_(-s), clipped at 0 and normalised.
    """
    tops = log_block + log_future.max(axis=1)
    scaled = np.exp(log_block[:, None] + log_future - tops.max())
    m = log_future.shape[1]
    whole = scaled.mean(axis=1)
    plain = np.asarray(whole / whole.sum(), np.float64)
    if m == 1:
        return plain
    without = (scaled.sum(axis=1, keepdims=True) - scaled) / (m - 1)
    totals = without.sum(axis=0)
    if not (totals > 0).all():
        return plain
    jackknifed = np.maximum(m * plain - (m - 1) / m * (without / totals).sum(axis=1), 0.0)
    return np.asarray(jackknifed / jackknifed.sum(), np.float64) if jackknifed.any() else plain


@dataclass(frozen=True, kw_only=True)
class Lookahead(Method):
    """Blocks of tokens that are chosen by what they promise, estimated from rollouts."""

    name = "lookahead"
    guarantee = "approximate"
    alpha: float | None = alpha_setting()
    temperature: float | None = temperature_setting()
    block: int | None = setting(None, whole(1), "Tokens of a block.", "a sixteenth of --max-tokens")
    candidates: int = setting(4, whole(1, MOST_RUNS), "Blocks to choose from.")
    rollouts: int = setting(2, whole(0, MOST_RUNS), "Looks ahead from each candidate.")

    def sampler(self, target: Target) -> LookaheadSampler:
        """Block by block."""
        alpha = self.power(target.alpha)
        temperature = self.proposal(target.alpha)
        block = self.block or max(target.max_tokens // 16, 1)
        return LookaheadSampler(
            alpha,
            temperature,
            target.max_tokens,
            block,
            self.candidates,
            self.rollouts,
            target.rules,
            self.name,
        )
