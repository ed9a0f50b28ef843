"""A language model small enough to know everything about: `--model toy`, demos, and the proofs in tests/.

Each context has its own random row of logits, a pure function of (seed, context), so the law of whole answers
can be enumerated and compared with what a sampler does.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from localpower.completion import PLAIN, Rules
from localpower.model import LogitRow, Model, Tokens
from localpower.numerics import log_softmax

WORDS = ("<end>", "the ", "a ", "cat ", "dog ", "sees ", "hears ", "no one", "itself", ". ", "?")


@dataclass(frozen=True)
class ToyModel:
    """Random tables. Token 0 ends an answer.

    spread: standard deviation of the logits, nats. end_bias: added to the end token's logit (large: near
    certain ends). zero_every: one other token in so many is impossible in each context (0: none).
    memory: how many last tokens a row depends on (0: the whole context).
    """

    words: tuple[str, ...] = WORDS
    seed: int = 0
    spread: float = 1.5
    end_bias: float = 0.0
    zero_every: int = 0
    memory: int = 0
    _rows: dict[Tokens, NDArray[np.float64]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def n_vocab(self) -> int:
        """Number of words."""
        return len(self.words)

    @property
    def eos(self) -> frozenset[int]:
        """The first word ends an answer."""
        return frozenset({0})

    def _row(self, context: Tokens) -> NDArray[np.float64]:
        seen = context[-self.memory :] if self.memory else context
        if seen not in self._rows:
            key = hashlib.blake2b(repr((self.seed, seen)).encode(), digest_size=16).digest()
            rng = np.random.default_rng(int.from_bytes(key, "little"))
            row = rng.normal(0.0, self.spread, self.n_vocab)
            row[0] += self.end_bias
            if self.zero_every:
                impossible = rng.integers(self.zero_every, size=self.n_vocab - 1) == 0
                row[1:][impossible] = -math.inf
            row.flags.writeable = False
            self._rows[seen] = row
        return self._rows[seen]

    def logits(
        self, contexts: Sequence[Tokens], prompt_lengths: Sequence[int] | None = None
    ) -> Sequence[LogitRow]:
        """Rows (vocab,) float64, one a context."""
        return [self._row(tuple(context)) for context in contexts]

    def rows(self, context: Tokens, continuation: Tokens) -> Iterator[LogitRow]:
        """The rows (vocab,) that predict each token of `continuation`."""
        return (self._row(context + continuation[:i]) for i in range(len(continuation)))

    def score(self, context: Tokens, continuation: Tokens) -> NDArray[np.float64]:
        """log p of each token of `continuation`, nats."""
        pairs = zip(self.rows(context, continuation), continuation, strict=True)
        return np.array([log_softmax(row)[token] for row, token in pairs], dtype=np.float64)

    def cost(self, rows: int) -> float:
        """A table reads one row after another."""
        return float(rows)

    def waste(self, rows: int) -> None:
        """Nobody counts a table's rows."""

    def watch(self, progress: Callable[[int, int], None]) -> None:
        """A table reads no prompt."""

    def pin(self, context: Tokens, owner: object = None, prompt_length: int | None = None) -> None:
        """A table needs no hints."""

    def unpin(self, owner: object) -> None:
        """A table needs no hints."""

    def tokenize(self, text: str) -> Tokens:
        """One word of the toy's for each word of the text, by a hash: any text is a prompt."""
        digests = (hashlib.blake2b(word.encode("utf-8", "surrogatepass")).digest() for word in text.split())
        return tuple(1 + digest[0] % (self.n_vocab - 1) for digest in digests)

    def piece(self, token: int) -> bytes:
        """The bytes a token adds to the text; none for the end."""
        return b"" if token in self.eos else self.words[token].encode()


def answers(
    model: Model, prompt: Tokens, horizon: int, rules: Rules = PLAIN
) -> Iterator[tuple[Tokens, float]]:
    """Every possible answer within `horizon` and its log p, nats: ended, or exactly `horizon` long.

    Given tokens cost nothing. Impossible answers (log p = -inf) are left out.
    """

    def walk(tokens: Tokens, run: Tokens, log_p: float) -> Iterator[tuple[Tokens, float]]:
        if len(tokens) == horizon:
            yield tokens, log_p
            return
        forced = rules.given(tokens)
        if forced is not None:
            yield from walk((*tokens, forced), (), log_p)
            return
        row = log_softmax(model.logits([prompt + tokens])[0])
        for token in range(model.n_vocab):
            if row[token] == -math.inf:
                continue
            longer, longer_run = (*tokens, token), (*run, token)
            total = log_p + float(row[token])
            if token in model.eos or rules.ended(longer_run):
                yield longer, total
            else:
                yield from walk(longer, longer_run, total)

    yield from walk((), (), 0.0)


def power_law(
    model: Model, prompt: Tokens, horizon: int, alpha: float, rules: Rules = PLAIN
) -> dict[Tokens, float]:
    """The target itself, p(x | prompt)^alpha normalised over every possible answer."""
    listed = list(answers(model, prompt, horizon, rules))
    log_p = alpha * np.array([value for _, value in listed])
    weights = np.exp(log_p - log_p.max())
    return dict(zip((tokens for tokens, _ in listed), weights / weights.sum(), strict=True))
