"""How soon an answer begins, what it takes to hold it, and what a row costs: `python scripts/measure/start.py`.

Seconds from a loaded model to the first token drawn after a prompt of about 200 tokens, resident size beside model file
and cache (T = 256), and milliseconds to reduce a row of logits and draw from it, on one thread.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from localpower.chance import StreamDice
from localpower.loaded.gguf import as_gguf
from localpower.loading import Request, load
from localpower.numerics import weigh
from localpower.text.conversation import Conversation

TURNS = 5


def first_token(loaded, prompt) -> float:
    """Seconds: an engine is made, the prompt read, a token drawn."""
    begin = time.perf_counter()
    engine = as_gguf(loaded.engine(prompt, 256, 1, lambda: None))
    StreamDice(1).pick(weigh(engine.logits([prompt])[0], 0.25).weights)
    seconds = time.perf_counter() - begin
    engine.close()
    return seconds


def row(n_vocab: int) -> float:
    """Milliseconds, the median of many."""
    logits = np.random.default_rng(0).normal(0.0, 3.0, n_vocab).astype(np.float32)
    dice, times = StreamDice(1), []
    for _ in range(200):
        begin = time.perf_counter()
        drawn = weigh(logits, 0.25)
        drawn.log_q(dice.pick(drawn.weights))
        times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", help="a GGUF file or a catalogue name; else the default model")
    options = parser.parse_args()
    for n_vocab in (49152, 152000, 262144):
        print(f"a row of {n_vocab} logits: {row(n_vocab):.2f} ms")
    for fast in (False, True):
        loaded = load(Request(options.model, fast=fast))
        text = Conversation.of("word " * 165)
        prompt = loaded.prompt(text, raw=not loaded.has_template, arguments={})
        seconds = statistics.median(first_token(loaded, prompt) for _ in range(TURNS))
        print(f"first token after {len(prompt)} tokens{', --fast' if fast else ''}: {seconds:.2f} s")
        if not fast:
            size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
            print(
                f"resident {size:.0f} MB, of which the file {Path(loaded.info.path).stat().st_size / 1e6:.0f} MB"
            )


if __name__ == "__main__":
    main()
