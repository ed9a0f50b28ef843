"""Is log p a function of the token prefix alone? The same text in many batch shapes and places, bit for bit.

The text straddles cell 256, so that llama.cpp works with at least 512 cells: there one query row is split
between threads and two are not. Restored copies fill the cells before it without computing anything.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from localpower.engine.batch import RowSpec
from localpower.engine.context import Context
from localpower.engine.settings import Settings
from localpower.engine.weights import Weights
from localpower.numerics import log_softmax

TEXT = (
    "In 1969, two people walked on the Moon; 600 million watched. The quick brown fox jumps over "
    "the lazy dog (a pangram): def f(x): return x ** 2 + 3.14159 # naïve, 東京, and so on, until the "
    "end of the line, where another one begins that says much the same in other words, only slower."
)
N_TOKENS = 48
_JUNK = (2, 3, 4, 5)  # sequences whose restored copies fill cells 48..239
_N_SEQUENCES = 6
_CELLS = 1024
TIMED = 12

Logits = list[NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Difference:
    """One shape: the largest |difference in log p| over all tokens of the vocabulary, nats; 0 = same bits."""

    shape: str
    log_p: float


class AnyChecker(Protocol):
    """A context of its own for one `Settings`, and a reference run in it."""

    def close(self) -> None:
        """Free the context."""

    def differences(self) -> Iterator[Difference]:
        """Every shape against the reference, the likeliest to fail first."""

    def lone_row(self, cells: int) -> Callable[[], float]:
        """A function that decodes one row after so many tokens and returns the seconds it took."""

    def curve(self, widths: Sequence[int]) -> dict[int, float]:
        """Least seconds of a batch by its rows, past 256 cells; empty where width is of no use."""


class Checker:
    """For attention, whose cells all sequences share."""

    def __init__(self, weights: Weights, settings: Settings, threads: int) -> None:
        self._context = Context(weights, settings, n_cells=_CELLS, n_sequences=_N_SEQUENCES)
        self._context.set_threads(threads)
        self._threads = threads
        self._tokens = text_tokens(weights, N_TOKENS)
        self._reference = self._feed(0, [N_TOKENS])
        self._state = self._context.memory.save(0, 0, N_TOKENS)

    def close(self) -> None:
        """Free the context."""
        self._context.close()

    def differences(self) -> Iterator[Difference]:
        """Every shape against the reference (the whole text in one batch), the likeliest to fail first."""
        junk = [*_JUNK]
        for sequence in junk:
            self._context.memory.restore(sequence, self._state)
        yield self._compare("lone rows past 256 cells", self._feed(1, [1] * N_TOKENS))
        for threads in sorted({1, self._context.settings.threads} - {self._threads}):
            self._context.memory.trim(1, 0)
            self._context.set_threads(threads)
            yield self._compare(f"with {threads} thread{'s'[: threads > 1]}", self._feed(1, [1] * N_TOKENS))
            self._context.set_threads(self._threads)
        for size in (2, 7, 20):
            self._context.memory.trim(1, 0)
            shape = [size] * (N_TOKENS // size) + [N_TOKENS % size] * bool(N_TOKENS % size)
            yield self._compare(f"{size} rows at a time", self._feed(1, shape))
        self._context.memory.trim(1, 0)
        yield self._compare("one output among 16 rows", self._last_only(16))
        yield self._compare("three sequences side by side", self._side_by_side())
        for sequence in (1, *junk):
            self._context.memory.trim(sequence, 0)
        yield self._compare("lone rows in an empty cache", self._feed(1, [1] * N_TOKENS))
        self._context.memory.trim(1, 0)
        yield self._compare("after a restore", self._after_restore(), first=N_TOKENS - 8)

    def lone_row(self, cells: int) -> Callable[[], float]:
        """As in `AnyChecker`. One length at a time: other sequences would take this one's place."""
        memory = self._context.memory
        memory.clear()
        start, batch = 0, self._context.settings.batch
        while start < cells:
            stop = min(start + batch, cells)
            rows = [RowSpec(1, i, self._tokens[i % N_TOKENS], False) for i in range(start, stop)]
            self._context.decode(rows)
            start = stop
        return timed_rows(self._context, [RowSpec(1, cells, self._tokens[0], True)])

    def curve(self, widths: Sequence[int]) -> dict[int, float]:
        """As in `AnyChecker`, measured in turns."""
        self._context.memory.clear()
        self._context.memory.restore(0, self._state)
        for sequence in _JUNK:
            self._context.memory.restore(sequence, self._state)
        self._context.memory.copy(0, 1, N_TOKENS)
        seconds: dict[int, list[float]] = {n: [] for n in widths}
        for _ in range(TIMED // 2):
            for n in widths:
                start = time.perf_counter()
                self._decode([RowSpec(1, N_TOKENS + i, self._tokens[i], True) for i in range(n)])
                seconds[n].append(time.perf_counter() - start)
                self._context.memory.trim(1, N_TOKENS)
        return {n: float(np.min(found)) for n, found in seconds.items()}

    def _decode(self, rows: Sequence[RowSpec]) -> Logits:
        return [row.copy() for row in self._context.decode(rows)]

    def _feed(self, sequence: int, sizes: Sequence[int], start: int = 0) -> Logits:
        out: Logits = []
        for size in sizes:
            rows = [RowSpec(sequence, start + i, self._tokens[start + i], True) for i in range(size)]
            out += self._decode(rows)
            start += size
        return out

    def _last_only(self, size: int) -> Logits:
        """As in prefill: batches of which only the last row is read."""
        out = list(self._reference)
        for start in range(0, N_TOKENS, size):
            rows = [RowSpec(1, i, self._tokens[i], i == start + size - 1) for i in range(start, start + size)]
            out[start + size - 1] = self._decode(rows)[0]
        return out

    def _side_by_side(self) -> Logits:
        """The last third of the text on three sequences that share the first two."""
        shared = N_TOKENS - N_TOKENS // 3
        family = (1, *_JUNK[:2])
        self._context.memory.trim(1, 0)
        for sequence in _JUNK[:2]:
            self._context.memory.trim(sequence, 0)
        out = self._feed(1, [shared])
        for sequence in _JUNK[:2]:
            self._context.memory.copy(1, sequence, shared)
        for i in range(shared, N_TOKENS):
            rows = [RowSpec(sequence, i, self._tokens[i], True) for sequence in family]
            out.append(self._decode(rows)[i % 3])
        return out

    def _after_restore(self) -> Logits:
        self._context.memory.trim(1, 0)
        self._context.memory.restore(1, self._state)
        self._context.memory.trim(1, N_TOKENS - 8)
        return self._feed(1, [3, 1, 4], start=N_TOKENS - 8)

    def _compare(self, shape: str, logits: Logits, first: int = 0) -> Difference:
        return compare(shape, self._reference[first:], logits)


def compare(shape: str, reference: Logits, logits: Logits) -> Difference:
    """Rows of one shape against the same rows of the reference."""
    largest = 0.0
    for a, b in zip(reference, logits, strict=True):
        if not np.array_equal(a, b):
            x, y = log_softmax(a), log_softmax(b)
            both = np.isfinite(x) & np.isfinite(y)
            same = np.array_equal(
                a[~both], b[~both]
            )  # impossible tokens must be so in both; NaN is never the same
            gap = float(np.abs(x[both] - y[both]).max(initial=0.0)) if same else math.inf
            largest = max(largest, gap)
    return Difference(shape, largest)


def text_tokens(weights: Weights, n: int) -> list[int]:
    """The check's text, repeated or cut to n tokens; vocabularies that cannot spell it count through their ids."""
    tokens = weights.tokenize(TEXT.encode(), parse_special=False)
    usable = [token for token in tokens if token not in weights.eos]
    if len(usable) < 8:
        usable = [i for i in range(weights.n_vocab) if i not in weights.eos] or [0]
    return [usable[i % len(usable)] for i in range(n)]


def timed_rows(context: Context, rows: Sequence[RowSpec]) -> Callable[[], float]:
    """A function that decodes the rows, forgets them and returns the seconds they took."""

    def decode() -> float:
        start = time.perf_counter()
        context.decode(rows)
        seconds = time.perf_counter() - start
        for row in rows:
            context.memory.trim(row.sequence, row.position)
        return seconds

    return decode


def lone_row_seconds(checkers: Sequence[AnyChecker], lengths: Sequence[int]) -> list[float]:
    """Seconds of a lone row for each checker, the mean over contexts of these lengths.

    Measured in turns, the least of each: what disturbs one of them only ever adds.
    """
    total = np.zeros(len(checkers))
    for cells in lengths:
        decoders = [checker.lone_row(cells) for checker in checkers]
        total += np.min([[decode() for decode in decoders] for _ in range(TIMED)], axis=0)
    return [float(seconds) for seconds in total / len(lengths)]
