"""Several answers that grow together, a token each at a time, from one batch: what best-of-n, SMC and lookahead share.

Each member draws from a stream of its own, so that an answer depends on its stream and not on who grows beside it.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from localpower.chance import Dice
from localpower.completion import PLAIN, Completion, Floats, Rules, Writer
from localpower.events import Event, Extended
from localpower.model import Model, Tokens, context_of, weighed
from localpower.numerics import TokenDistribution
from localpower.samplers.base import SLICE

Choosing = Generator[Event, None, tuple[int, Completion]]


@dataclass(slots=True)
class Member:
    """An answer and the stream that draws it. log_w: its log-weight so far, nats. text: prompt and answer, as asked."""

    dice: Dice
    writer: Writer
    log_w: float = 0.0
    row: TokenDistribution | None = None
    text: list[int] = field(default_factory=list)

    def context(self, model: Model, prompt: Tokens) -> Tokens:
        """Prompt and answer; what was asked for before is not copied again."""
        if not self.text:
            self.text.extend(prompt)
        self.text += self.writer.tokens[len(self.text) - len(prompt) :]
        return context_of(model, self.text)


def members(
    dice: Dice, starts: Sequence[Completion], horizon: int, model: Model, rules: Rules = PLAIN
) -> list[Member]:
    """A member for each start; the i-th goes on from starts[i] with `dice.spawn(i)`."""
    writers = [Writer(start, horizon, model.eos, rules) for start in starts]
    return [Member(dice.spawn(i), writer) for i, writer in enumerate(writers)]


def look(model: Model, prompt: Tokens, group: Sequence[Member], temperature: float) -> list[Member]:
    """Give every member that will draw its row, all from one batch; returns these. Given tokens are written first."""
    for member in group:
        member.writer.write_given(member.dice)
        member.row = None
    live = [member for member in group if not member.writer.complete]
    if live:
        rows = weighed(model, [member.context(model, prompt) for member in live], temperature)
        for member, row in zip(live, rows, strict=True):
            member.row = row
    return live


def draw(live: Sequence[Member], alpha: float) -> None:
    """Each member with a row draws its token; log_w gains alpha * log p - log q."""
    for member in live:
        assert member.row is not None
        log_p, log_q, _ = member.writer.draw(member.dice, member.row)
        member.log_w += alpha * log_p - log_q


def tell(
    group: Sequence[Member], told: list[int], horizon: int, *, everything: bool = False
) -> Iterator[Extended]:
    """What members have written beyond the tokens that were told of each: slices and ends, or everything."""
    for i, member in enumerate(group):
        n = len(member.writer.tokens)
        if n > told[i] and (everything or member.writer.complete or n - told[i] >= SLICE):
            yield Extended(0, horizon, told[i], member.writer.tail(told[i]), i)
            told[i] = n


def common(answers: Sequence[Completion], n: int) -> int:
    """How many tokens all n answers begin with; 0 while some have none."""
    if len(answers) < n:
        return 0
    length = min(map(len, answers))
    return next((t for t in range(length) if len({answer.tokens[t] for answer in answers}) > 1), length)


def shares(log_weights: Floats) -> Floats:
    """Weights that sum to 1, of logs in nats."""
    weights = np.exp(log_weights - log_weights.max())
    return np.asarray(weights / weights.sum(), np.float64)


def log_mean(log_weights: Floats) -> float:
    """log of the mean of exp(log_weights), nats."""
    return float(np.logaddexp.reduce(log_weights)) - math.log(len(log_weights))


def effective(log_weights: Floats) -> float:
    """Effective sample size 1 / sum of squared shares: from 1 to their number."""
    return float(1.0 / np.square(shares(log_weights)).sum())
