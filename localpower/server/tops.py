"""The likeliest tokens at every place of an answer, kept while it is drawn: nothing is evaluated for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from localpower.chance import Dice
from localpower.events import Event
from localpower.model import LogitRow, Model, Tokens, beside, weighed
from localpower.numerics import TokenDistribution, weigh
from localpower.samplers import Sampler


class Top(NamedTuple):
    """A token and its log p, nats."""

    token: int
    log_p: float


class Tops:
    """Hears of every row that a run asks for. k: how many tokens it keeps of each."""

    def __init__(self, prompt: Tokens, k: int) -> None:
        self._prompt, self._k = prompt, k
        self._kept: dict[int, tuple[Top, ...]] = {}

    def run(self, sampler: Sampler, model: Model, dice: Dice) -> Iterator[Event]:
        """The sampler's run, whose rows are heard of."""
        return sampler.run(_Watched(model, self), self._prompt, dice)

    def heard(self, context: Tokens, row: TokenDistribution) -> None:
        """A row after a context."""
        k = min(self._k, len(row.row))
        if k:
            found = np.argpartition(-row.row, k - 1)[:k]
            tops = sorted(
                (Top(int(token), row.log_p(int(token))) for token in found), key=lambda top: -top.log_p
            )
            self._kept[hash(context)] = tuple(tops)

    def at(self, answer: Tokens, place: int) -> tuple[Top, ...]:
        """The likeliest tokens at a place of an answer; none where the token was given and not drawn."""
        return self._kept.get(hash(self._prompt + answer[:place]), ())


class _Watched:
    """A model whose rows are heard of."""

    def __init__(self, model: Model, tops: Tops) -> None:
        self._model, self._tops = model, tops
        self.n_vocab, self.eos = model.n_vocab, model.eos
        self.score, self.cost, self.waste, self.pin = model.score, model.cost, model.waste, model.pin

    def logits(self, contexts: Sequence[Tokens]) -> Sequence[LogitRow]:
        rows = self._model.logits(contexts)
        for context, row in zip(contexts, rows, strict=True):
            self._tops.heard(context, weigh(row, 1.0))
        return rows

    def weighed(self, contexts: Sequence[Tokens], temperature: float) -> Sequence[TokenDistribution]:
        rows = weighed(self._model, contexts, temperature)
        for context, row in zip(contexts, rows, strict=True):
            self._tops.heard(context, row)
        return rows

    def beside(self, prompt: Tokens, pins: int) -> Model:
        return beside(self._model, prompt, pins)
