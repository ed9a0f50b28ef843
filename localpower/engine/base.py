"""What the engines for all kinds of memory share: a context, counters, pins, and evaluation from nothing."""

from __future__ import annotations

import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from localpower.engine.batch import RowSpec
from localpower.engine.context import Context
from localpower.engine.cores import Governor
from localpower.engine.settings import Settings
from localpower.engine.snapshot import Snapshot
from localpower.engine.weights import Weights
from localpower.errors import EngineError
from localpower.model import LogitRow, Tokens
from localpower.numerics import weigh
from localpower.prices import Prices


@dataclass(slots=True)
class Counters:
    """What the engine really evaluated. prefill: tokens inside the prompt; answer: tokens after it."""

    prefill_tokens: int = 0
    answer_tokens: int = 0
    padded_rows: int = 0
    decode_calls: int = 0
    compactions: int = 0
    wasted_rows: int = 0


class GgufEngine(ABC):
    """A `Model` over llama.cpp. In exact mode a row is a function of its context's tokens alone.

    prompt_length: tokens that count as prefill. batch: most rows of a decode; may be lowered. `check` runs before every
    decode and may raise: what was evaluated until then stays.
    """

    def __init__(
        self,
        weights: Weights,
        settings: Settings,
        *,
        n_cells: int,
        n_sequences: int,
        steady_rows: int = 0,
        check: Callable[[], None] = lambda: None,
        governor: Governor | None = None,
    ) -> None:
        """steady_rows: see `LlamaModel`; the others need none. Raises EngineError when the context cannot be made."""
        self.context = Context(weights, settings, n_cells=n_cells, n_sequences=n_sequences, governor=governor)
        self._memory = self.context.memory
        self._settings = settings
        self._steady = steady_rows
        self._check = check
        self.batch = settings.batch
        self._pins: dict[object, Tokens] = {}
        self.n_vocab = weights.n_vocab
        self.eos = weights.eos
        self.n_cells = self.context.n_cells
        self.n_sequences = n_sequences
        self._opening: Snapshot | None = None  # for `rows`
        self.counters = Counters()
        self.prices = Prices()
        self._ended = 0.0  # the last decode: seconds of the clock
        self.prompt_length = 0
        self._progress: Callable[[int, int], None] | None = None
        self._begin()

    @abstractmethod
    def _begin(self) -> None:
        """Know of an empty memory."""

    @abstractmethod
    def logits(
        self, contexts: Sequence[Tokens], prompt_lengths: Sequence[int] | None = None
    ) -> Sequence[LogitRow]:
        """Rows (vocab,) float32 after each context; views, valid until the next call.

        prompt_lengths: how many tokens of each are its prompt; None: `prompt_length` of every one. Raises EngineError
        for an empty context, and for more than there is room for.
        """

    @abstractmethod
    def snapshot(self, context: Tokens) -> Snapshot:
        """What the memory holds after `context` (non-empty), evaluated where it is not resident."""

    @abstractmethod
    def adopt(self, snapshot: Snapshot) -> None:
        """Start from a snapshot instead of nothing. Raises EngineError when llama.cpp refuses it."""

    @abstractmethod
    def resident(self, context: Tokens) -> int:
        """How many tokens of `context` from its beginning need not be evaluated to go on after them."""

    @abstractmethod
    def reset(self) -> None:
        """Forget everything resident."""

    def take_over(self, other: GgufEngine, context: Tokens) -> None:
        """Remember what `other` does of the beginning of `context`, and go on with its counters."""
        self.counters = other.counters
        known = other.resident(context)
        if known:
            with contextlib.suppress(EngineError):  # a state of another number of streams: evaluated again
                self.adopt(other.snapshot(context[:known]))

    def close(self) -> None:
        """Free the cache."""
        self.context.close()

    def cost(self, rows: int) -> float:
        """Seconds of a batch of so many rows over those of a lone row, as this run finds them."""
        return self.prices.cost(rows)

    def waste(self, rows: int) -> None:
        """Count rows that were thrown away."""
        self.counters.wasted_rows += rows

    def watch(self, progress: Callable[[int, int], None]) -> None:
        """`progress(done, total)` hears, before each batch of a prompt, how many of its tokens are read."""
        self._progress = progress

    def pin(self, context: Tokens, owner: object = None, prompt_length: int | None = None) -> None:
        """Keep the prefixes of `context` at hand for `owner`, who holds one pin at a time."""
        self._pins[owner] = context

    def unpin(self, owner: object) -> None:
        """`owner` will not come back."""
        self._pins.pop(owner, None)

    def rows(self, context: Tokens, continuation: Tokens) -> Iterator[LogitRow]:
        """The rows (vocab,) that predict each token of `continuation`, by an evaluation apart from all others.

        Nothing that `logits` left in the memory is used. Each row is valid until the next one is asked for.
        """
        if not context:
            raise EngineError("a context must hold at least one token")
        tokens, first = context + continuation[:-1], len(context) - 1
        self.reset()
        try:
            opening = tokens[: self._opening_length(context)]
            self._open(opening)
            size = 1 if self._settings.streams else self.batch  # as they are drawn
            for start, stop in even_chunks(len(tokens) - len(opening), size):
                self._check()
                positions = range(len(opening) + start, len(opening) + stop)
                yield from self._evaluate([RowSpec(0, i, tokens[i], i >= first) for i in positions])
        finally:
            self.reset()

    def _opening_length(self, context: Tokens) -> int:
        """How many tokens of a context `rows` keeps for its next call."""
        return max(min(self.prompt_length, len(context)) - 1, 0)

    def _open(self, tokens: Tokens) -> None:
        """Read the beginning of the prompt into sequence 0, once; later calls restore it."""
        if self._opening is not None and self._opening.tokens == tokens:
            self._load(self._opening)
        elif tokens:
            for start, stop in even_chunks(len(tokens), self.batch):
                self._check()
                self._evaluate([RowSpec(0, i, tokens[i], False) for i in range(start, stop)])
            self._opening = self._keep(0, tokens)

    def _refuse(self, contexts: Sequence[Tokens]) -> None:
        """Raise EngineError for more than there is room for, where each context has a sequence to itself."""
        if not all(contexts):
            raise EngineError("a context must hold at least one token")
        if len(contexts) > self.n_sequences:
            raise EngineError(f"{len(contexts)} contexts, and sequences for {self.n_sequences}")
        longest = max(map(len, contexts), default=0)
        if longest > self.n_cells:
            raise EngineError(f"a context of {longest} tokens does not fit {self.n_cells} cells")

    def _keep(self, sequence: int, tokens: Tokens) -> Snapshot:
        """What `sequence` remembers of `tokens`, which is all it has read."""
        return Snapshot(tokens, (self._memory.save_state(sequence, whole=True),))

    def _load(self, snapshot: Snapshot) -> None:
        """Put a snapshot into sequence 0 of an empty memory."""
        self._memory.restore_state(0, snapshot.pieces[0], len(snapshot.tokens), whole=True)

    def score(self, context: Tokens, continuation: Tokens) -> NDArray[np.float64]:
        """log p of each token of `continuation` (len(continuation),), nats, evaluated afresh."""
        pairs = zip(self.rows(context, continuation), continuation, strict=True) if continuation else ()
        return np.array([weigh(row, 1.0).log_p(token) for row, token in pairs], dtype=np.float64)

    def _evaluate(self, specs: Sequence[RowSpec], at_least: int = 0, pads: int = 0) -> list[LogitRow]:
        """One decode: the wanted rows in order. pads: so many of them are nobody's."""
        padded = self.context.padded_rows
        self.counters.decode_calls += 1
        began, before = time.perf_counter(), self._ended
        rows = self.context.decode(specs, at_least)
        self._ended = time.perf_counter()
        if all(spec.wanted for spec in specs):  # tokens that are drawn, and no prompt
            seconds = self._ended - began
            # What is done with rows after a decode counts too, waiting does not.
            self.prices.note(len(specs) - pads, seconds + min(began - before, seconds))
        self.counters.padded_rows += self.context.padded_rows - padded
        return list(rows)

    def _tell(self, read: int) -> None:
        """Between two batches of a prompt: so many of its tokens are read."""
        if self._progress is not None:
            self._progress(min(read, self.prompt_length), self.prompt_length)

    def _count(self, first: int, stop: int) -> None:
        """Note that positions first..stop-1 of a context are being evaluated."""
        inside = max(min(stop, self.prompt_length) - first, 0)
        self.counters.prefill_tokens += inside
        self.counters.answer_tokens += stop - first - inside


def even_chunks(n: int, size: int) -> Iterator[tuple[int, int]]:
    """0..n-1 in nearly equal chunks of at most `size`, so that none is a lone row unless all of it is."""
    count = -(-n // size)
    for i in range(count):
        yield round(i * n / count), round((i + 1) * n / count)
