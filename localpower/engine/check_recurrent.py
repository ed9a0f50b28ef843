"""The same check for models with a state: shapes of batches, and going back by checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from localpower.engine.batch import RowSpec
from localpower.engine.check import Difference, Logits, compare, text_tokens
from localpower.engine.context import Context
from localpower.engine.settings import Settings
from localpower.engine.weights import Weights

_BEFORE = 264  # past 256 cells llama.cpp works with at least 512
_TAIL = 24
_SEQUENCES = 3


class RecurrentChecker:
    """For recurrent and hybrid models: every sequence has a stream of its own."""

    def __init__(self, weights: Weights, settings: Settings, threads: int) -> None:
        self._batch = settings.batch
        self._context = Context(weights, settings, n_cells=_BEFORE + 2 * _TAIL, n_sequences=_SEQUENCES)
        self._context.set_threads(threads)
        self._threads = threads
        self._tokens = text_tokens(weights, _BEFORE + _TAIL)
        self._opening = self._feed(0, [_TAIL], 0)
        self._feed(0, [self._batch] * ((_BEFORE - _TAIL) // self._batch), _TAIL)
        at = _TAIL + (_BEFORE - _TAIL) // self._batch * self._batch
        if at < _BEFORE:
            self._feed(0, [_BEFORE - at], at)
        self._whole = self._context.memory.save_state(0, whole=True)
        self._state = self._context.memory.save_state(0, whole=False)
        self._reference = self._feed(0, [_TAIL])

    def close(self) -> None:
        """Free the context."""
        self._context.close()

    def differences(self) -> Iterator[Difference]:
        """Every shape against the reference, the likeliest to fail first."""
        for size in (1, 2, 7, 20):
            self._restore(1)
            sizes = [size] * (_TAIL // size) + [_TAIL % size] * bool(_TAIL % size)
            name = "lone rows past 256 cells" if size == 1 else f"{size} rows at a time"
            yield compare(name, self._reference, self._feed(1, sizes))
        for threads in sorted({1, self._context.settings.threads} - {self._threads}):
            self._restore(1)
            self._context.set_threads(threads)
            name = f"with {threads} thread{'s'[: threads > 1]}"
            yield compare(name, self._reference, self._feed(1, [1] * _TAIL))
            self._context.set_threads(self._threads)
        self._context.memory.restore_state(0, self._state, _BEFORE, whole=False)
        yield compare("after going back to a checkpoint", self._reference, self._feed(0, [5, 1, 18]))
        yield compare("sequences side by side", self._reference, self._side_by_side())
        self._context.memory.trim(1, 0)
        yield compare("lone rows in an empty cache", self._opening, self._feed(1, [1] * _TAIL, 0))

    def lone_row(self, cells: int) -> Callable[[], float]:
        """As in `AnyChecker`, but always past 256 cells: a state has one size."""
        self._restore(1)
        position = _BEFORE

        def decode() -> float:
            nonlocal position
            start = time.perf_counter()
            self._context.decode([RowSpec(1, position, self._tokens[position % _TAIL], True)])
            position += 1
            return time.perf_counter() - start

        return decode

    def curve(self, widths: Sequence[int]) -> dict[int, float]:
        """Empty: a proposal beside another would need a whole state of its own."""
        return {}

    def _restore(self, sequence: int) -> None:
        self._context.memory.restore_state(sequence, self._whole, _BEFORE, whole=True)

    def _feed(self, sequence: int, sizes: Sequence[int], start: int = _BEFORE) -> Logits:
        out: Logits = []
        for size in sizes:
            rows = [RowSpec(sequence, i, self._tokens[i], True) for i in range(start, start + size)]
            out += [row.copy() for row in self._context.decode(rows)]
            start += size
        return out

    def _side_by_side(self) -> Logits:
        for sequence in range(_SEQUENCES):
            self._restore(sequence)
        out: Logits = []
        for i in range(_BEFORE, _BEFORE + _TAIL):
            rows = [RowSpec(sequence, i, self._tokens[i], True) for sequence in range(_SEQUENCES)]
            out.append(self._context.decode(rows)[i % _SEQUENCES].copy())
        return out
