"""Which format, which keys: `python scripts/measure/formats.py [--model FILE] [--kinds Q4_0 Q8_0 ...]`.

Every format is made from one model by llama.cpp itself, in a temporary folder. Of each: tokens a second by rows after
100 tokens, in turns with the others; KL divergence to the file as it is, nats a token over a fixed text (mean and
largest), and by how much log p of answers of 32 tokens moves (mean and largest of 12). The same for ways to keep keys
and values, against 32-bit ones. The best turn of a speed is printed: what disturbs one only ever adds.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from price import KINDS, quantized
from rows import decode, read

from localpower.bench.prompts import LONG, PROMPTS
from localpower.catalogue import locate
from localpower.engine.batch import RowSpec
from localpower.engine.context import Context
from localpower.engine.settings import LARGE_BATCH, Q8_0, Settings
from localpower.engine.verdict import processor
from localpower.engine.weights import Weights
from localpower.loading import Request, load
from localpower.numerics import log_softmax

ROWS, AT, TURNS, ANSWER, F32 = (1, 2, 4, 8, 16), 100, 5, 32, 0


def text_of(weights: Weights) -> list[int]:
    """The fixed text: the bench's prompts one after another."""
    whole = "\n\n".join((LONG, *PROMPTS))
    return weights.tokenize(whole.encode(), parse_special=False)


def log_p(weights: Weights, settings: Settings) -> np.ndarray:
    """log p of every token of the vocabulary after each token of the text, (n, vocab), a row at a time."""
    tokens = text_of(weights)
    context = Context(weights, settings, n_cells=len(tokens) + 1, n_sequences=1)
    rows = [
        log_softmax(context.decode([RowSpec(0, i, token, True)])[0]).astype(np.float32)
        for i, token in enumerate(tokens)
    ]
    context.close()
    return np.stack(rows)


def distance(reference: np.ndarray, other: np.ndarray, tokens: list[int]) -> str:
    """KL of `reference` to `other`, and what answers move by."""
    p = np.exp(reference.astype(np.float64))
    kl = (p * (reference.astype(np.float64) - other)).sum(1)
    each = np.array([other[i, t] - reference[i, t] for i, t in enumerate(tokens[1:])])
    answers = [float(each[i : i + ANSWER].sum()) for i in range(0, len(each) - ANSWER, len(each) // 12)][:12]
    moves = np.abs(answers)
    return (
        f"KL {kl.mean():.4f} (most {kl.max():.3f}), answers move {moves.mean():.2f} (most {moves.max():.2f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model")
    parser.add_argument("--kinds", nargs="*", default=["Q4_0", "Q8_0", "Q4_K", "F16"])
    options = parser.parse_args()
    path = locate(options.model)[1]
    with tempfile.TemporaryDirectory() as folder:
        files = {"as it is": path}
        for kind in options.kinds:
            files[kind] = quantized(path, Path(folder) / f"{kind}.gguf", KINDS[kind])
        loaded = {kind: load(Request(str(file))) for kind, file in files.items()}
        beds = {}
        for kind, one in loaded.items():
            settings = one.verdict.settings
            tokens = text_of(one.weights)
            each = AT + 1 if settings.streams else AT + max(ROWS)
            context = Context(one.weights, settings, n_cells=each, n_sequences=max(ROWS))
            read(context, AT, tokens)
            for sequence in range(1, max(ROWS)):
                copy = context.memory.copy_stream if settings.streams else context.memory.copy
                copy(0, sequence, *([] if settings.streams else [AT]))
            beds[kind] = context, tokens
        best = {(kind, rows): 1e9 for kind in beds for rows in ROWS}
        for _ in range(TURNS):
            for rows in ROWS:
                for kind, (context, tokens) in beds.items():
                    best[kind, rows] = min(best[kind, rows], decode(context, AT, rows, tokens))
        for context, _ in beds.values():
            context.close()
        print(f"{path.name} on {processor()}: tokens a second at {', '.join(map(str, ROWS))} rows")
        reference = None
        for kind, one in loaded.items():
            speeds = "".join(f"{rows / best[kind, rows]:8.1f}" for rows in ROWS)
            found = log_p(one.weights, one.verdict.settings)
            reference = found if reference is None else reference
            far = distance(reference, found, text_of(one.weights))
            print(f"{kind:<10}{speeds}  {far}; {one.verdict.settings.words()}", flush=True)
        own = loaded["as it is"].weights
        base = replace(
            loaded["as it is"].verdict.settings, streams=True, flash=0, min_rows=1, batch=LARGE_BATCH
        )
        exactly = log_p(own, replace(base, kv_type=F32))
        ways = {
            "16-bit, plain attention": base,
            "16-bit, flash attention": replace(base, streams=False, flash=1),
            "8-bit, flash attention": replace(base, streams=False, flash=1, kv_type=Q8_0),
        }
        for name, settings in ways.items():
            print(
                f"keys and values {name:<26}{distance(exactly, log_p(own, settings), text_of(own))}",
                flush=True,
            )


if __name__ == "__main__":
    main()
