"""Does prefetch ever lose? `python scripts/measure/ahead.py [--model FILE] [--prompts 4] [--turns 3]`.

The default chain with proposals one by one, four at a time, and as `--prefetch auto` decides; where the engine takes
drafts also without, with and with automatic drafts. Short and long prompts, alpha 1.5 (most proposals accepted) and 4,
in turns, the same chains bit for bit. Seconds, medians of the turns, and auto over the better of
the other two in the same turn.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from localpower.bench.measure import LONG_PROMPT
from localpower.bench.prompts import PROMPTS
from localpower.chance import StreamDice
from localpower.engine.verdict import processor
from localpower.loading import Request, load
from localpower.runs.session import run_chains
from localpower.samplers import PowerMH
from localpower.text.conversation import Conversation
from localpower.width import relative_cost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model")
    parser.add_argument("--prompts", type=int, default=4, help="the long one among them")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--max-tokens", type=int, default=96)
    options = parser.parse_args()
    loaded = load(Request(options.model))
    texts = [PROMPTS[LONG_PROMPT], *(text for text in PROMPTS if text is not PROMPTS[LONG_PROMPT])]
    texts = texts[: options.prompts]
    prompts = [loaded.prompt(Conversation.of(t), raw=not loaded.has_template, arguments={}) for t in texts]
    curve = {n: round(relative_cost(loaded.verdict.curve, n), 2) for n in (2, 4, 8)}
    print(f"{loaded.info.name} {loaded.info.quantization} on {processor()}; cost of rows {curve}")
    if loaded.widest() <= 1 and not loaded.goes_ahead():
        print("auto is one proposal at a time here, the same program as off: there is nothing to measure")
        return
    worst = 0.0
    for alpha in (1.5, 4.0):
        for prompt in prompts:
            plain = PowerMH(alpha, 1 / alpha, options.max_tokens, options.max_tokens, 5)
            widest = max(loaded.widest(), 1)
            kinds = {
                "prefetch": {
                    "off": plain,
                    "on": replace(plain, prefetch=4),
                    "auto": replace(plain, prefetch=min(widest, 5), adaptive=True),
                }
            }
            if loaded.goes_ahead():
                kinds["drafts"] = {mode: replace(plain, drafts=mode) for mode in ("off", "on", "auto")}
            for kind, ways in kinds.items():
                seconds: dict[str, list[float]] = {way: [] for way in ways}
                for _ in range(options.turns):
                    for way, sampler in ways.items():
                        engine = loaded.engine(
                            prompt, options.max_tokens, sampler.width, lambda: None, chains=1
                        )
                        engine.logits([prompt])
                        began = time.perf_counter()
                        run_chains(engine, sampler, prompt, StreamDice(1), 1)
                        seconds[way].append(time.perf_counter() - began)
                        engine.close()
                off, on, auto = (statistics.median(values) for values in seconds.values())
                turns = zip(*seconds.values(), strict=True)
                ratio = statistics.median(auto / min(off, on) for off, on, auto in turns)
                worst = max(worst, ratio)
                print(
                    f"alpha {alpha:g}, prompt of {len(prompt):4} tokens, {kind:<8}  off {off:6.2f}  on {on:6.2f}  "
                    f"auto {auto:6.2f}  auto over the better {ratio:.3f}",
                    flush=True,
                )
    print(f"worst {worst:.3f}")


if __name__ == "__main__":
    main()
