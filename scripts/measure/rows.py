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


def measured(
    weights: Weights, settings: Settings, widest: int, prompts: list[int], turns: int
) -> dict[str, float]:
    """Tokens a second by what was done."""
    tokens = [100 + i * 37 % (weights.n_vocab - 200) for i in range(max(*prompts, 1024))]
    found: dict[str, float] = {}
    for n in prompts:
        context = Context(weights, settings, n_cells=n + 1, n_sequences=1)
        best = 1e9
        for _ in range(turns if n < 1000 else 1):
            context.memory.trim(0, 0)
            best = min(best, read(context, n, tokens))
        found[f"prompt {n}"] = n / best
        context.close()
    for at in CONTEXTS:
        each = at + 1 if settings.streams else at + widest
        context = Context(weights, settings, n_cells=each, n_sequences=widest)
        read(context, at, tokens)
        for sequence in range(1, widest):
            if settings.streams:
                context.memory.copy_stream(0, sequence)
            else:
                context.memory.copy(0, sequence, at)
        for rows in ROWS:
            if rows <= min(widest, settings.batch):
                best = min(decode(context, at, rows, tokens) for _ in range(3 * turns))
                found[f"{rows} rows at {at}"] = rows / best
        context.close()
    return found


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
    table = {
        name: measured(loaded.weights, settings, options.widest, options.prompts, options.turns)
        for name, settings in ways.items()
    }
    print(f"{loaded.identity['name']} {loaded.identity['quantization']} on {processor()}: {chosen.words()}")
    for what in table["chosen"]:
        print(f"{what:<16}" + "".join(f"{table[name].get(what, float('nan')):10.1f}" for name in ways))
    print(json.dumps({"model": loaded.identity["name"], "exactness": loaded.exactness, "table": table}))


if __name__ == "__main__":
    main()
