"""Speed against the length of the context: what a token costs after 256 tokens, and after 32,768.

At each length a prompt of that many tokens is read, then a plain answer is drawn, one row at a time. The time within
llama.cpp and our own are told apart: attention reads all of a context for each token, and our share should not grow.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from statistics import median
from typing import Any, NamedTuple

from localpower.bench.prompts import LONG
from localpower.chance import StreamDice
from localpower.engine.base import GgufEngine
from localpower.engine.batch import RowSpec
from localpower.errors import EngineError
from localpower.events import Extended
from localpower.loaded.gguf import LoadedGguf, as_gguf
from localpower.model import LogitRow, Tokens
from localpower.runs.gather import Run, gather
from localpower.runs.interrupt import Interrupts
from localpower.samplers import Ancestral
from localpower.text.conversation import Conversation

LENGTHS = (256, 1024, 4096, 8192, 16384, 32768)
DRAWN = 64  # tokens at each length, in pieces of eight


@dataclass(frozen=True, slots=True)
class LongRow:
    """One length. reading: prompt tokens a second. token_ms: of a drawn token by the clock, of which within llama.cpp.

    Both are medians of pieces of eight tokens. ours_us: processor time of a token outside of llama.cpp, of the piece
    that took least: other programs only add to it. cells, megabytes: of keys and values.
    """

    context: int
    reading: float
    token_ms: float
    llama_ms: float
    ours_us: float
    cells: int
    megabytes: float

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


class _Watched:
    """Adds up the seconds of a decoder's calls: by the clock, and of this thread's processor time."""

    def __init__(self, decode: Callable[..., list[LogitRow]]) -> None:
        self._decode = decode
        self.clock = self.thread = 0.0

    def __call__(self, rows: Sequence[RowSpec], at_least: int = 0) -> list[LogitRow]:
        clock, thread = time.perf_counter(), time.thread_time()
        try:
            return self._decode(rows, at_least)
        finally:
            self.clock += time.perf_counter() - clock
            self.thread += time.thread_time() - thread


def long_rows(
    loaded: LoadedGguf,
    seed: int,
    interrupts: Interrupts,
    say: Callable[[str], None],
    lengths: Sequence[int] = LENGTHS,
) -> Iterator[LongRow]:
    """A row for each length that the context and the memory have room for; what is left out is said."""
    text = loaded.prompt(Conversation.of(LONG), raw=not loaded.has_template, arguments={})
    for length in lengths:
        interrupts.check()
        if length + DRAWN > loaded.n_ctx:
            say(f"{length:,} tokens are left out: the context has {loaded.n_ctx:,} (--ctx)")
            return
        prompt = tuple(islice(cycle(text), length))
        try:
            yield _measured(loaded, prompt, seed, interrupts)
        except EngineError as error:
            say(f"{length:,} tokens are left out: {error.message}")
            return


def _measured(loaded: LoadedGguf, prompt: Tokens, seed: int, interrupts: Interrupts) -> LongRow:
    engine = as_gguf(loaded.engine(prompt, DRAWN, 1, interrupts.check, chains=1))
    try:
        engine.eos = frozenset()
        began = time.perf_counter()
        engine.logits([prompt])
        read = time.perf_counter() - began
        drawn_pieces(engine, prompt, seed)  # the first draw of a process fills caches
        pieces = drawn_pieces(engine, prompt, seed)
        n_cells = engine.context.total_cells
        size = n_cells * loaded.weights.cell_bytes(loaded.verdict.settings.kv_bits)
    finally:
        engine.close()
    return LongRow(
        len(prompt),
        len(prompt) / read,
        1e3 * median(piece.clock for piece in pieces),
        1e3 * median(piece.llama for piece in pieces),
        1e6 * min(piece.ours for piece in pieces),
        n_cells,
        size / 1e6,
    )


class _Piece(NamedTuple):
    """Seconds of a token: by the clock, of which within llama.cpp; processor seconds outside of it."""

    clock: float
    llama: float
    ours: float


def drawn_pieces(engine: GgufEngine, prompt: Tokens, seed: int) -> list[_Piece]:
    """A plain draw, piece by piece."""
    sampler = Ancestral("base", 1.0, DRAWN)
    decode = engine.context.decode
    watched = _Watched(decode)
    engine.context.decode = watched  # type: ignore[method-assign]
    pieces = []
    try:
        before = time.perf_counter(), time.thread_time(), watched.clock, watched.thread
        for _, event in gather(
            engine, [Run(prompt, lambda each: sampler.run(each, prompt, StreamDice(seed)))]
        ):
            if not isinstance(event, Extended):
                continue
            now = time.perf_counter(), time.thread_time(), watched.clock, watched.thread
            clock, thread, llama, inside = (
                (b - a) / len(event.suffix) for a, b in zip(before, now, strict=True)
            )
            pieces.append(_Piece(clock, llama, thread - inside))
            before = now
        return pieces
    finally:
        engine.context.decode = decode  # type: ignore[method-assign]


def long_table(rows: Sequence[LongRow]) -> Iterator[str]:
    """Lines of plain text."""
    yield "context  read tok/s  ms a token  llama.cpp  ours us      cells       MB"
    for row in rows:
        yield (
            f"{row.context:>7,}  {row.reading:>10.1f}  {row.token_ms:>10.2f}  {row.llama_ms:>9.2f}  {row.ours_us:>7.0f}"
            f"  {row.cells:>9,}  {row.megabytes:>7.1f}"
        )
