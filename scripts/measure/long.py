"""What long answers cost beyond llama.cpp: `python scripts/measure/long.py [--model FILE] [--max-tokens 1900]`.

A plain answer that cannot end, and a bare loop of decodes over the same tokens, eight tokens each in turn, so that both
see the same machine. Milliseconds a token and their ratio, the median of such turns, by tokens written so far.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from localpower.chance import StreamDice
from localpower.engine.batch import RowSpec
from localpower.engine.context import Context
from localpower.engine.verdict import processor
from localpower.events import Extended
from localpower.loading import Request, load
from localpower.runs.gather import Run, gather
from localpower.samplers import Ancestral
from localpower.text.conversation import Conversation

PLACES = 8  # that the answer is divided into


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model")
    parser.add_argument("--max-tokens", type=int, default=1900)
    options = parser.parse_args()
    loaded, longest = load(Request(options.model)), options.max_tokens
    text = "Write a long story about a river that wanted to climb a mountain."
    prompt = loaded.prompt(Conversation.of(text), raw=not loaded.has_template, arguments={})
    engine = loaded.engine(prompt, longest, 1, lambda: None, chains=1)
    engine.eos = frozenset()
    n_cells = len(prompt) + longest + 1
    bare = Context(
        loaded.weights, loaded.verdict.settings, n_cells=n_cells, n_sequences=1, governor=loaded.governor
    )
    bare.decode([RowSpec(0, i, token, i == len(prompt) - 1) for i, token in enumerate(prompt)])
    sampler = Ancestral("base", 1.0, longest)
    found: dict[int, list[tuple[float, float]]] = {}
    written, began = len(prompt), time.perf_counter()
    for _, event in gather(engine, [Run(prompt, lambda handle: sampler.run(handle, prompt, StreamDice(1)))]):
        ours = time.perf_counter() - began
        if not isinstance(event, Extended):
            continue
        began = time.perf_counter()
        for token in event.suffix.tokens:
            bare.decode([RowSpec(0, written, token, True)])
            written += 1
        n = len(event.suffix)
        place = (written - len(prompt) - 1) * PLACES // longest
        if event.kept:  # the first turn read the prompt
            found.setdefault(place, []).append((ours / n, (time.perf_counter() - began) / n))
        began = time.perf_counter()
    print(f"{loaded.info.name} {loaded.info.quantization} on {processor()}")
    print(f"{'tokens':>12}{'ours ms':>10}{'bare ms':>10}{'ratio':>8}")
    for place, turns in found.items():
        ours, theirs = (1e3 * statistics.median(values) for values in zip(*turns, strict=True))
        ratio = statistics.median(a / b for a, b in turns)
        span = f"{place * longest // PLACES}-{(place + 1) * longest // PLACES}"
        print(f"{span:>12}{ours:>10.2f}{theirs:>10.2f}{ratio:>8.3f}")


if __name__ == "__main__":
    main()
