"""Is log p a function of prompt and answer alone? One answer in many batch shapes and places, bit for bit.

The engine that will be used is asked as it will be used: alone, beside others, with other threads, in other chunks,
after going back and after a restore. The reference is the prompt read at once, then one token after another. Where
sequences are read in batches beyond the prompt, the answer straddles cell 256: from there on llama.cpp works with 512
cells, where flash attention splits one query row between threads and two not.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from localpower.engine.base import GgufEngine
from localpower.engine.kinds import engine_class
from localpower.engine.settings import Settings
from localpower.engine.weights import Weights
from localpower.errors import UserError
from localpower.model import Tokens
from localpower.numerics import log_softmax

TEXT = (
    "In 1969, two people walked on the Moon; 600 million watched. The quick brown fox jumps over "
    "the lazy dog (a pangram): def f(x): return x ** 2 + 3.14159 # naïve, 東京, and so on, until the "
    "end of the line, where another one begins that says much the same in other words, only slower."
)
_TAIL = 16
_LONG = 300  # tokens of a context beside which llama.cpp covers 512 cells of every sequence, not 256
_CELLS = 512  # of a stream
_STEPS = 5  # of a wide batch
_TIMED = 12

Logits = list[NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Difference:
    """One shape: the largest |difference in log p| over all tokens of the vocabulary, nats; 0 = same bits."""

    shape: str
    log_p: float


class Checker:
    """An engine of its own for one `Settings`, and a reference run in it."""

    def __init__(self, weights: Weights, settings: Settings, threads: int) -> None:
        """Raises EngineError where the model does not allow these settings. threads: to decode with, mostly."""
        self._weights, self._settings, self._threads = weights, settings, threads
        self._tokens = text_tokens(weights, _LONG + _TAIL)
        self._n_prompt = 71 if settings.streams else 256 - _TAIL // 2
        # llama.cpp has other kernels from 4 and from 8 rows on; a state takes much room
        self._widths = (3, 2) if weights.is_recurrent() else (9, 5, 3, 2)
        self._engine = self._make(self._widths[0])
        self._reference: Logits = []  # settings that are only timed need none

    def close(self) -> None:
        """Free the context."""
        self._engine.close()

    def refer(self) -> None:
        """Draw what every shape is compared with."""
        self._reference = self._alone()

    def differences(self) -> Iterator[Difference]:
        """Every shape against the reference, the likeliest to fail first."""
        if not self._reference:
            self.refer()
        if not self._settings.streams:  # answers are read in batches too: ahead, and after going back
            for size in (16, 8, 4, 2):
                yield self._compare(f"{size} rows at a time", self._by(size, self._along))
            self._engine.reset()
            (last,) = self._engine.logits([self._tokens[: self._n_prompt + _TAIL - 1]])
            yield compare("one output among many rows", self._reference[-1:], [last.copy()])
        for width in self._widths:
            others = [self._answer(8 * i) for i in range(1, width)]
            yield self._compare(f"{width} answers side by side", self._beside(*others, steps=_STEPS))
        for threads in sorted({1, self._settings.threads} - {self._threads}):
            self._engine.context.set_threads(threads)
            yield self._compare(f"with {threads} thread{'s'[: threads > 1]}", self._alone())
            self._engine.context.set_threads(self._threads)
        for size in (9, 33) if self._settings.streams else ():
            yield self._compare(f"a prompt read {size} tokens at a time", self._by(size, self._alone))
        yield self._compare("beside an answer of more cells", self._beside(self._tokens[:_LONG]))
        yield self._compare("after going back and forth", self._back_and_forth())
        snapshot = self._engine.snapshot(self._tokens[: self._n_prompt - 1])
        self._engine.adopt(snapshot)
        yield self._compare("after a restore", self._alone(reset=False))

    def lone_row(self, cells: int) -> Callable[[], float]:
        """A function that asks for one row, after so many tokens and then each a token later: seconds it took."""
        engine = self._engine
        context = tuple(self._tokens[i % len(self._tokens)] for i in range(cells))
        engine.logits([context], [cells])  # what it shares with a shorter one is not read again

        def ask() -> float:
            nonlocal context
            context = (*context, self._tokens[0])
            start = time.perf_counter()
            engine.logits([context], [cells])
            return time.perf_counter() - start

        return ask

    def curve(self, widths: Sequence[int]) -> dict[int, float]:
        """Least seconds of a batch by its rows, measured in turns; empty where width is of no use."""
        if self._weights.is_recurrent():
            return {}
        self._engine.close()
        self._engine = engine = self._make(max(widths))
        contexts = [(*self._tokens[: self._n_prompt], self._tokens[i]) for i in range(max(widths))]
        engine.logits(contexts)
        seconds = dict.fromkeys(widths, math.inf)
        for _ in range(_TIMED // 2):
            for n in widths:
                contexts[:n] = [(*context, self._tokens[0]) for context in contexts[:n]]
                start = time.perf_counter()
                engine.logits(contexts[:n])
                seconds[n] = min(seconds[n], time.perf_counter() - start)
        return seconds

    def _make(self, width: int) -> GgufEngine:
        own = self._settings.streams or self._weights.is_recurrent()
        # One is idle, or each has a slot to go back to.
        room = (_CELLS, width + 1) if own else (2 * _CELLS, 2 * width)
        kind = engine_class(self._weights, self._settings)
        engine = kind(self._weights, self._settings, n_cells=room[0], n_sequences=room[1])
        engine.prompt_length = self._n_prompt
        engine.context.set_threads(self._threads)
        return engine

    def _answer(self, start: int) -> Tokens:
        """The prompt and another answer."""
        return self._tokens[: self._n_prompt] + self._tokens[start : start + _TAIL]

    def _steps(self) -> Iterator[Tokens]:
        return (self._tokens[: self._n_prompt + i] for i in range(_TAIL))

    def _alone(self, *, reset: bool = True) -> Logits:
        if reset:
            self._engine.reset()
        return [self._engine.logits([context])[0].copy() for context in self._steps()]

    def _by(self, size: int, read: Callable[[], Logits]) -> Logits:
        """With batches of so many rows."""
        self._engine.batch = size
        try:
            return read()
        finally:
            self._engine.batch = self._settings.batch

    def _along(self) -> Logits:
        """As many rows as a batch holds."""
        prompt, tail = self._tokens[: self._n_prompt], self._tokens[self._n_prompt :][:_TAIL]
        return [row.copy() for row in self._engine.rows(prompt, tail)]

    def _beside(self, *others: Tokens, steps: int = _TAIL) -> Logits:
        """The answer in every place of a batch in turn, the others growing with it."""
        out: Logits = []
        for i, context in zip(range(steps), self._steps(), strict=False):
            batch = [other[: len(other) - _TAIL + i] for other in others]
            batch.insert(i % (len(others) + 1), context)
            out.append(self._engine.logits(batch)[i % (len(others) + 1)].copy())
        return out

    def _back_and_forth(self) -> Logits:
        """Cut and written again, from copies, from a state kept on the way, and in place."""
        order = [*range(0, _TAIL, 2), *range(1, _TAIL, 2)]
        found = {}
        for i in order:
            self._engine.pin(self._tokens[: self._n_prompt + i])
            found[i] = self._engine.logits([self._tokens[: self._n_prompt + i]])[0].copy()
        return [found[i] for i in range(_TAIL)]

    def _compare(self, shape: str, logits: Logits) -> Difference:
        return compare(shape, self._reference[: len(logits)], logits)


def compare(shape: str, reference: Logits, logits: Logits) -> Difference:
    """Rows of one shape against the same rows of the reference."""
    largest = 0.0
    for a, b in zip(reference, logits, strict=True):
        if not np.array_equal(a, b):
            x, y = log_softmax(a), log_softmax(b)
            both = np.isfinite(x) & np.isfinite(y)
            # impossible tokens must be so in both; NaN is never the same
            same = np.array_equal(a[~both], b[~both])
            gap = float(np.abs(x[both] - y[both]).max(initial=0.0)) if same else math.inf
            largest = max(largest, gap)
    return Difference(shape, largest)


def text_tokens(weights: Weights, n: int) -> Tokens:
    """The check's text, repeated or cut to n tokens; vocabularies that cannot spell it count through their ids."""
    tokens: list[int] = []
    with contextlib.suppress(UserError):
        tokens = weights.tokenize(TEXT.encode(), parse_special=False)
    usable = [token for token in tokens if token not in weights.eos]
    if len(usable) < 8:
        usable = [i for i in range(weights.n_vocab) if i not in weights.eos] or [0]
    return tuple(usable[i % len(usable)] for i in range(n))


def lone_row_seconds(checkers: Sequence[Checker], lengths: Sequence[int]) -> list[float]:
    """Seconds of a lone row for each checker, the mean over contexts of these lengths.

    Measured in turns, the least of each: what disturbs one of them only ever adds.
    """
    total = np.zeros(len(checkers))
    for cells in lengths:
        rows = [checker.lone_row(cells) for checker in checkers]
        total += np.min([[ask() for ask in rows] for _ in range(_TIMED)], axis=0)
    return [float(seconds) for seconds in total / len(lengths)]
