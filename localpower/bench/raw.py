"""A bare loop of llama_decode: the fastest that an engine in these settings can be fed."""

from __future__ import annotations

import time

from localpower.engine.batch import RowSpec
from localpower.engine.context import Context
from localpower.engine.cores import Governor
from localpower.engine.settings import Settings
from localpower.engine.weights import Weights
from localpower.model import Tokens


def raw_loop(
    weights: Weights,
    settings: Settings,
    prompt: Tokens,
    rows: int,
    tokens: int,
    governor: Governor | None = None,
) -> tuple[float, int]:
    """Seconds for `rows` sequences to grow by `tokens` each after a prompt that is not counted, and rows padded.

    Each decode holds one token of every sequence, and its logits are made; nothing is drawn from them.
    """
    each = len(prompt) + tokens
    n_cells = each if settings.streams else each * rows + 64
    padded_to = max(rows, settings.min_rows) if settings.streams else rows
    context = Context(weights, settings, n_cells=n_cells, n_sequences=padded_to, governor=governor)
    try:
        for sequence in range(padded_to):
            if settings.streams and sequence:
                context.memory.copy_stream(0, sequence)
                continue
            if not weights.is_recurrent() and sequence:
                context.memory.copy(0, sequence, len(prompt))
                continue
            for start in range(0, len(prompt), settings.batch):
                part = prompt[start : start + settings.batch]
                context.decode([RowSpec(sequence, start + i, token, False) for i, token in enumerate(part)])
        padded = context.padded_rows
        begin = time.perf_counter()
        for i in range(tokens):
            at = len(prompt) + i
            context.decode(
                [RowSpec(sequence, at, prompt[i % len(prompt)], True) for sequence in range(padded_to)]
            )
        return time.perf_counter() - begin, context.padded_rows - padded + (padded_to - rows) * tokens
    finally:
        context.close()
