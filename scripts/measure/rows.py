"""Rows and prompts in numbers: `python scripts/measure/rows.py [--model FILE] [--gpu-layers N] [--fast]`.

Tokens a second of bare decodes of 1 to 64 rows after 100 and 700 tokens, and of reading prompts of 512 and 4,096
tokens: in the settings that the engine's check chose, and in llama.cpp's own ways (one cache, with and without flash
attention), measured in turns in one process. The best turn of each is printed: what disturbs one only ever adds.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from localpower.engine.batch import RowSpec
from localpower.engine.context import Context
from localpower.engine.settings import LARGE_BATCH, Settings
from localpower.engine.verdict import processor
from localpower.engine.weights import Weights
from localpower.loading import Request, load

ROWS, CONTEXTS, PROMPTS = (1, 2, 4, 8, 16, 32, 64), (100, 700), (512, 4096)


def read(context: Context, n: int, tokens: list[int]) -> float:
    """Seconds for a prompt of n tokens, its last row wanted."""
    size, start, begin = context.settings.batch, 0, time.perf_counter()
    while start < n:
        stop = min(start + size, n)
        context.decode([RowSpec(0, i, tokens[i], i == n - 1) for i in range(start, stop)])
        start = stop
    return time.perf_counter() - begin


def decode(context: Context, at: int, rows: int, tokens: list[int]) -> float:
    """Seconds of one row for each of so many sequences."""
    begin = time.perf_counter()
    context.decode([RowSpec(s, at, tokens[s], True) for s in range(rows)])
    seconds = time.perf_counter() - begin
    for sequence in range(rows):
        context.memory.trim(sequence, at)
    return seconds


def prompts(weights: Weights, ways: dict[str, Settings], n: int, turns: int) -> dict[str, float]:
    """Tokens a second of reading a prompt, by way."""
    tokens = tokens_of(weights, n)
    contexts = {
        name: Context(weights, settings, n_cells=n + 1, n_sequences=1) for name, settings in ways.items()
    }
    best = dict.fromkeys(ways, 1e9)
    for _ in range(turns):
        for name, context in contexts.items():
            context.memory.trim(0, 0)
            best[name] = min(best[name], read(context, n, tokens))
    for context in contexts.values():
        context.close()
    return {name: n / seconds for name, seconds in best.items()}


def rows_at(
    weights: Weights, ways: dict[str, Settings], at: int, widths: list[int], turns: int
) -> dict[int, dict[str, float]]:
    """Tokens a second of so many rows after `at` tokens, by rows and way."""
    tokens, widest = tokens_of(weights, 1024), max(widths)
    contexts = {}
    for name, settings in ways.items():
        each = at + 1 if settings.streams else at + widest
        context = contexts[name] = Context(weights, settings, n_cells=each, n_sequences=widest)
        read(context, at, tokens)
        for sequence in range(1, widest):
            if settings.streams:
                context.memory.copy_stream(0, sequence)
            else:
                context.memory.copy(0, sequence, at)
    best = {(rows, name): 1e9 for rows in widths for name in ways}
    for _ in range(3 * turns):
        for rows, name in list(best):
            if rows <= ways[name].batch:
                best[rows, name] = min(best[rows, name], decode(contexts[name], at, rows, tokens))
    for context in contexts.values():
        context.close()
    return {rows: {name: rows / best[rows, name] for name in ways} for rows in widths}


def tokens_of(weights: Weights, n: int) -> list[int]:
    first = min(100, weights.n_vocab // 4)
    return [first + i * 37 % (weights.n_vocab - 2 * first) for i in range(n)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model")
    parser.add_argument("--gpu-layers", type=int, default=0)
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--widest", type=int, default=64)
    parser.add_argument("--prompts", type=int, nargs="*", default=list(PROMPTS))
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    loaded = load(Request(options.model, gpu_layers=options.gpu_layers, fast=options.fast))
    chosen = loaded.verdict.settings
    own = Settings(chosen.threads, chosen.repack, batch=LARGE_BATCH, gpu_layers=options.gpu_layers)
    ways = {
        "chosen": chosen,
        "one cache, flash attention": own,
        "one cache, plain attention": replace(own, flash=0),
    }
    table: dict[str, dict[str, float]] = {}
    for n in options.prompts:
        table[f"prompt {n}"] = prompts(loaded.weights, ways, n, options.turns if n < 1000 else 1)
    widths = [rows for rows in ROWS if rows <= options.widest]
    for at in CONTEXTS:
        for rows, found in rows_at(loaded.weights, ways, at, widths, options.turns).items():
            table[f"{rows} rows at {at}"] = found
    print(f"{loaded.info.name} {loaded.info.quantization} on {processor()}: {chosen.words()}")
    print(f"{'':<16}" + "".join(f"{name:>28}" for name in ways))
    for what, found in table.items():
        print(f"{what:<16}" + "".join(f"{found[name]:28.1f}" for name in ways))
    print(json.dumps({"model": loaded.info.name, "exactness": loaded.exactness, "table": table}))


if __name__ == "__main__":
    main()
