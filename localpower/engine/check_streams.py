"""The same check where each sequence has a stream to itself: by the engine that will be used, in many shapes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from localpower.engine.batch import RowSpec
from localpower.engine.check import TIMED, Difference, Logits, compare, text_tokens, timed_rows
from localpower.engine.settings import Settings
from localpower.engine.streams import StreamModel
from localpower.engine.weights import Weights
from localpower.errors import EngineError
from localpower.model import Tokens

_PROMPT = 71  # tokens
_TAIL = 16
_LONG = 300  # tokens of a context beside which llama.cpp covers 512 cells of every sequence, not 256
_CELLS = 512
_WIDE = 9  # llama.cpp has other kernels from 4 and from 8 rows on
_STEPS = 5  # of a wide batch


class StreamChecker:
    """The reference: the prompt read at once, then lone rows."""

    def __init__(self, weights: Weights, settings: Settings, threads: int) -> None:
        """Raises EngineError for memories that have no streams of this kind. threads: to decode with, mostly."""
        if weights.is_recurrent() or weights.window():
            raise EngineError("this model's memory is not plain attention")
        self._weights, self._settings, self._threads = weights, settings, threads
        self._tokens = tuple(text_tokens(weights, _LONG + _TAIL))
        self._engine = self._make(settings)
        self._reference = self._alone(self._engine)

    def close(self) -> None:
        """Free the context."""
        self._engine.close()

    def differences(self) -> Iterator[Difference]:
        """Every shape against the reference, the likeliest to fail first."""
        for width in (_WIDE, 5, 3, 2):
            others = [self._answer(8 * i) for i in range(1, width)]
            yield self._compare(f"{width} answers side by side", self._beside(*others, steps=_STEPS))
        for threads in sorted({1, self._settings.threads} - {self._threads}):
            self._engine.context.set_threads(threads)
            self._engine.reset()
            yield self._compare(f"with {threads} thread{'s'[: threads > 1]}", self._alone(self._engine))
            self._engine.context.set_threads(self._threads)
        for size in (9, 33):
            other = self._make(replace(self._settings, batch=size))
            try:
                yield self._compare(f"a prompt read {size} tokens at a time", self._alone(other))
            finally:
                other.close()
        yield self._compare("beside an answer of more cells", self._beside(self._tokens[:_LONG]))
        yield self._compare("after going back and forth", self._back_and_forth())
        other = self._make(self._settings)
        try:
            other.adopt(self._engine.snapshot(self._tokens[: _PROMPT - 1]))
            yield self._compare("after a restore", self._alone(other))
        finally:
            other.close()

    def lone_row(self, cells: int) -> Callable[[], float]:
        """As in `AnyChecker`."""
        text = tuple(self._tokens[i % len(self._tokens)] for i in range(cells))
        self._engine.reset()
        self._engine.logits([text], [cells])
        pads = [RowSpec(s, 0, text[0], True) for s in range(1, self._settings.min_rows)]
        for pad in pads:
            self._engine.context.memory.trim(pad.sequence, 0)
        return timed_rows(self._engine.context, [RowSpec(0, cells, text[0], True), *pads])

    def curve(self, widths: Sequence[int]) -> dict[int, float]:
        """As in `AnyChecker`, in a context that has so many sequences."""
        self._engine.close()
        self._engine = engine = self._make(self._settings, max(widths))
        contexts = [(*self._tokens[:_PROMPT], self._tokens[i]) for i in range(max(widths))]
        engine.logits(contexts)
        seconds: dict[int, list[float]] = {n: [] for n in widths}
        for _ in range(TIMED // 2):
            for n in widths:
                rows = [
                    RowSpec(s, _PROMPT + 1, self._tokens[s], True)
                    for s in range(max(n, self._settings.min_rows))
                ]
                start = time.perf_counter()
                engine.context.decode(rows)
                seconds[n].append(time.perf_counter() - start)
                for sequence in range(len(rows)):
                    engine.context.memory.trim(sequence, _PROMPT + 1)
        return {n: float(np.min(found)) for n, found in seconds.items()}

    def _make(self, settings: Settings, n_sequences: int = _WIDE + 1) -> StreamModel:
        engine = StreamModel(self._weights, settings, n_cells=_CELLS, n_sequences=n_sequences)
        engine.prompt_length = _PROMPT
        engine.context.set_threads(self._threads)
        return engine

    def _answer(self, start: int) -> Tokens:
        """The prompt and another answer."""
        return self._tokens[:_PROMPT] + self._tokens[start : start + _TAIL]

    def _steps(self) -> Iterator[Tokens]:
        return (self._tokens[: _PROMPT + i] for i in range(_TAIL))

    def _alone(self, engine: StreamModel) -> Logits:
        return [engine.logits([context])[0].copy() for context in self._steps()]

    def _beside(self, *others: Tokens, steps: int = _TAIL) -> Logits:
        """The answer in every place of a batch in turn, the others growing with it."""
        out: Logits = []
        for i, context in zip(range(steps), self._steps(), strict=False):
            batch = [other[: len(other) - _TAIL + i] for other in others]
            batch.insert(i % (len(others) + 1), context)
            out.append(self._engine.logits(batch)[i % (len(others) + 1)].copy())
        return out

    def _back_and_forth(self) -> Logits:
        """Cut and written again, from copies and in place."""
        order = [*range(0, _TAIL, 2), *range(1, _TAIL, 2)]
        found = {}
        for i in order:
            self._engine.pin(self._tokens[: _PROMPT + i])
            found[i] = self._engine.logits([self._tokens[: _PROMPT + i]])[0].copy()
        return [found[i] for i in range(_TAIL)]

    def _compare(self, shape: str, logits: Logits) -> Difference:
        return compare(shape, self._reference[: len(logits)], logits)
