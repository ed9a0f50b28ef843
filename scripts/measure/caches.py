"""Does localpower do more after a long context, or with cold caches? `python scripts/measure/caches.py [--model M]`.

A plain answer is drawn after a short prompt and after a long one. Then the short one again, each of its decodes
followed by one of the long context, which belongs to another answer: localpower's own work is that of a short context,
what llama.cpp has read before it is that of a long one. Microseconds of processor time a token outside of llama.cpp,
of the piece of eight tokens that took least.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from localpower.bench.long import DRAWN, drawn_pieces
from localpower.bench.prompts import LONG
from localpower.engine.base import GgufEngine
from localpower.engine.batch import RowSpec
from localpower.engine.library import L
from localpower.engine.verdict import processor
from localpower.loaded.gguf import as_gguf
from localpower.loading import Request, load
from localpower.model import LogitRow, Tokens
from localpower.text.conversation import Conversation


class Disturbed:
    """Decodes of an engine, each followed by the last decode of another."""

    def __init__(self, engine: GgufEngine, other: GgufEngine, rows: Sequence[RowSpec]) -> None:
        self._decode, self._other, self._rows = engine.context.decode, other, rows
        engine.context.decode = self  # type: ignore[assignment,method-assign]

    def __call__(self, rows: Sequence[RowSpec], at_least: int = 0) -> list[LogitRow]:
        found = self._decode(rows, at_least)
        memory = L.llama_get_memory(self._other.context._context)
        for row in self._rows:
            L.llama_memory_seq_rm(memory, row.sequence, row.position, -1)
        self._other.context.decode(self._rows)
        return found


def last_rows(engine: GgufEngine, draw: Callable[[], object]) -> list[RowSpec]:
    """The rows of the last decode of a draw."""
    decode, seen = engine.context.decode, []

    def watched(rows: Sequence[RowSpec], at_least: int = 0) -> list[LogitRow]:
        seen[:] = rows
        return decode(rows, at_least)

    engine.context.decode = watched  # type: ignore[method-assign]
    draw()
    engine.context.decode = decode  # type: ignore[method-assign]
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="lab-base")
    parser.add_argument("--lengths", type=int, nargs=2, default=(256, 8192))
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    loaded = load(Request(options.model, ctx=max(options.lengths) + 2 * DRAWN))
    text = loaded.prompt(Conversation.of(LONG), raw=not loaded.has_template, arguments={})

    def opened(length: int) -> tuple[GgufEngine, Tokens]:
        prompt = tuple(islice(cycle(text), length))
        engine = as_gguf(loaded.engine(prompt, DRAWN, 1, lambda: None, chains=1))
        engine.eos = frozenset()
        engine.logits([prompt])
        return engine, prompt

    (short, short_prompt), (long, long_prompt) = map(opened, options.lengths)
    rows = last_rows(long, lambda: drawn_pieces(long, long_prompt, 1))
    decode = short.context.decode

    def ours(engine: GgufEngine, prompt: Tokens) -> float:
        drawn_pieces(engine, prompt, 1)
        return 1e6 * min(piece.ours for piece in drawn_pieces(engine, prompt, 1))

    print(f"{loaded.info.name} on {processor()}")
    for _ in range(options.turns):
        alone, far = ours(short, short_prompt), ours(long, long_prompt)
        Disturbed(short, long, rows)
        disturbed = ours(short, short_prompt)
        short.context.decode = decode  # type: ignore[method-assign]
        print(
            f"after {len(short_prompt):,} tokens {alone:.0f}, after {len(long_prompt):,} {far:.0f}, after "
            f"{len(short_prompt):,} beside decodes after {len(long_prompt):,} {disturbed:.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
