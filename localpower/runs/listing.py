"""The answers of a model one by one, the likeliest first: best-first search over prefixes, in batches.

A prefix weighs at least as much as every answer that begins with it, so that the answers that come out have the largest
probabilities there are, up to what one batch holds; what was not followed bounds all that is missing. Children of a
prefix wait in one entry, that of the likeliest of them. Source: best-first (Dijkstra) enumeration of a weighted tree.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from localpower.completion import PLAIN, Rules
from localpower.model import LogitRow, Model, Tokens
from localpower.numerics import weigh

_WHOLE = 1024  # tokens of a vocabulary all of which are followed
_KEPT = 256  # of a larger one: the likeliest, the others are bounded


class Found(NamedTuple):
    """An answer. ended: by its last token, else it is as long as answers may be. log_p: nats."""

    tokens: Tokens
    ended: bool
    log_p: float


@dataclass(frozen=True, slots=True)
class _Prefix:
    """tokens: the given ones that follow included. run: where the last run of drawn tokens begins."""

    tokens: Tokens
    run: int
    log_p: float


@dataclass(slots=True)
class _Children:
    """Of a prefix, the likeliest first. at: the first that was not followed."""

    parent: _Prefix
    tokens: NDArray[np.intp]
    log_p: NDArray[np.float64]  # of the whole prefix that each makes
    at: int = 0


@dataclass(slots=True)
class Listing:
    """A search under way. horizon: most tokens of an answer. rows: rows evaluated so far.

    `answers` grows as `grow` is called; `mass` is the sum of their probabilities, and no other answer is likelier than
    exp(`likeliest_left`).
    """

    model: Model
    prompt: Tokens
    horizon: int
    rules: Rules = PLAIN
    answers: list[Found] = field(default_factory=list)
    mass: float = 0.0
    rows: int = 0
    _heap: list[tuple[float, int, _Children]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=count)
    _left_out: float = -math.inf  # log p of the likeliest child that is not kept
    _rounding: float = 0.0  # how far the probabilities of all answers may be from 1 together
    _begun: bool = False

    @property
    def likeliest_left(self) -> float:
        """log p of the likeliest prefix that was not followed, nats; -inf: there is none."""
        if not self._begun:
            return 0.0
        return max(-self._heap[0][0] if self._heap else -math.inf, self._left_out)

    @property
    def done(self) -> bool:
        """Whether nothing is left to follow."""
        return self._begun and not self._heap

    @property
    def missing(self) -> float:
        """The probability of all that was not found, and what rounding may have hidden of it; 0 where nothing is left.

        Probabilities of single precision sum to 1 up to an epsilon a token: a mass near 1 is no proof of the rest.
        """
        return (
            0.0 if self.likeliest_left == -math.inf else min(max(1.0 - self.mass, 0.0) + self._rounding, 1.0)
        )

    def missing_at(self, alpha: float) -> float:
        """At most this share of p^alpha was not found."""
        weights, rest = powered(
            np.array([each.log_p for each in self.answers]), self.missing, self.likeliest_left, alpha
        )
        whole = float(weights.sum()) + rest
        return rest / whole if whole else 1.0

    def grow(self, at_once: int) -> None:
        """Follow up to so many prefixes, the likeliest, with one batch."""
        wanted = [self._prefix((), 0, 0.0)] if not self._begun else []
        self._begun = True
        wanted = [prefix for prefix in wanted if not self._complete(prefix, ended=False)]
        while self._heap and len(wanted) < at_once:
            prefix, ended = self._next()
            if not self._complete(prefix, ended=ended):
                wanted.append(prefix)
        if not wanted:
            return
        self.rows += len(wanted)
        rows = self.model.logits([self.prompt + prefix.tokens for prefix in wanted])
        for prefix, row in zip(wanted, rows, strict=True):
            self._follow(prefix, row)

    def _complete(self, prefix: _Prefix, *, ended: bool) -> bool:
        if not ended and len(prefix.tokens) < self.horizon:
            return False
        self.answers.append(Found(prefix.tokens, ended, prefix.log_p))
        self.mass += math.exp(prefix.log_p)
        return True

    def _next(self) -> tuple[_Prefix, bool]:
        """The likeliest child of all, and whether it ends its answer; its next sibling takes its place."""
        _, _, children = heapq.heappop(self._heap)
        token, log_p = int(children.tokens[children.at]), float(children.log_p[children.at])
        children.at += 1
        self._push(children)
        parent = children.parent
        tokens = (*parent.tokens, token)
        if token in self.model.eos or self.rules.ended(tokens[parent.run :]):
            return _Prefix(tokens, parent.run, log_p), True
        return self._prefix(tokens, parent.run, log_p), False

    def _prefix(self, tokens: Tokens, run: int, log_p: float) -> _Prefix:
        """With the tokens that must follow, which cost nothing."""
        while len(tokens) < self.horizon and (given := self.rules.given(tokens)) is not None:
            tokens = (*tokens, given)
            run = len(tokens)
        return _Prefix(tokens, run, log_p)

    def _push(self, children: _Children) -> None:
        if children.at < len(children.log_p) and children.log_p[children.at] > -math.inf:
            entry = (-float(children.log_p[children.at]), next(self._order), children)
            heapq.heappush(self._heap, entry)

    def _follow(self, prefix: _Prefix, row: LogitRow) -> None:
        """By the very numbers that a sampler records."""
        weighed = weigh(row, 1.0)
        self._rounding = max(self._rounding, (len(prefix.tokens) + 1) * float(np.finfo(row.dtype).eps))
        log_p = prefix.log_p + ((row - weighed.top).astype(np.float64) - weighed.log_norm)
        if len(log_p) > _WHOLE:
            kept = np.argpartition(-log_p, _KEPT)
            self._left_out = max(self._left_out, float(log_p[kept[_KEPT]]))
            kept = kept[:_KEPT]
        else:
            kept = np.arange(len(log_p))
        kept = kept[np.argsort(-log_p[kept], kind="stable")]
        self._push(_Children(prefix, kept, log_p[kept]))


def powered(
    log_p: NDArray[np.float64], missing: float, log_p_missing: float, alpha: float
) -> tuple[NDArray[np.float64], float]:
    """p^alpha of answers (n,), and at most of all others together, both over the larger of the two; alpha >= 1.

    Others that have `missing` together and at most exp(log_p_missing) each:
    sum p^alpha <= missing * exp(log_p_missing)^(alpha - 1).
    """
    log_rest = (alpha - 1.0) * log_p_missing + math.log(missing) if missing else -math.inf
    scale = max(alpha * float(log_p.max(initial=-math.inf)), log_rest)
    return np.exp(alpha * log_p - scale), math.exp(log_rest - scale)


def search(
    listing: Listing,
    mass: float,
    alpha: float,
    most_rows: int,
    at_once: int,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Grow a listing until its answers have a share of p^alpha for certain, or so many rows were evaluated.

    What `check` raises passes on.
    """
    while not listing.done and (left := most_rows - listing.rows) > 0:
        check()
        listing.grow(min(at_once, left))
        if 1.0 - listing.missing_at(alpha) >= mass:
            return
