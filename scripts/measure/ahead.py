"""Does prefetch ever lose? `python scripts/measure/ahead.py [--model FILE] [--prompts 4] [--seeds 3] [--steps 5]`.

The default chain with proposals one by one, four at a time, and as `--prefetch auto` decides; where the engine takes
drafts also without, with and with automatic drafts. Short and long prompts, alpha 1.5 and 4, seeds in turn, the same
chains bit for bit. Seconds of all seeds. Which step moves a chain is luck, so that one chain says little: the last
lines compare the sums.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from localpower.bench.measure import LONG_PROMPT
from localpower.bench.prompts import PROMPTS
from localpower.chance import StreamDice
from localpower.engine.verdict import processor
from localpower.loaded.gguf import LoadedGguf
from localpower.loading import Request, load
from localpower.model import Tokens
from localpower.runs.session import run_chains
from localpower.samplers import PowerMH
from localpower.text.conversation import Conversation
from localpower.width import relative_cost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model")
    parser.add_argument("--prompts", type=int, default=4, help="the long one among them")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=5)
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
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for alpha in (1.5, 4.0):
        plain = PowerMH(alpha, 1 / alpha, options.max_tokens, options.max_tokens, options.steps)
        widest = max(loaded.widest(), 1)
        kinds = {
            "prefetch": {
                "off": plain,
                "on": replace(plain, prefetch=4),
                "auto": replace(plain, prefetch=min(widest, options.steps), adaptive=True),
            }
        }
        if loaded.goes_ahead():
            kinds["drafts"] = {mode: replace(plain, drafts=mode) for mode in ("off", "on", "auto")}
        for kind, ways in kinds.items():
            for prompt in prompts:
                seconds = Counter({way: 0.0 for way in ways})
                for seed in range(1, options.seeds + 1):
                    for way, sampler in ways.items():
                        seconds[way] += timed(loaded, prompt, sampler, seed)
                sums[kind].update(seconds)
                words = "  ".join(f"{way} {value:6.2f}" for way, value in seconds.items())
                print(f"alpha {alpha:g}, prompt of {len(prompt):4} tokens, {kind:<8}  {words}", flush=True)
    for kind, total in sums.items():
        off, on, auto = total["off"], total["on"], total["auto"]
        print(f"{kind}: auto over off {auto / off:.3f}, auto over on {auto / on:.3f}")


def timed(loaded: LoadedGguf, prompt: Tokens, sampler: PowerMH, seed: int) -> float:
    """Seconds of one chain after its prompt is read."""
    engine = loaded.engine(prompt, sampler.max_tokens, sampler.width, lambda: None, chains=1)
    engine.logits([prompt])
    began = time.perf_counter()
    run_chains(engine, sampler, prompt, StreamDice(seed), 1)
    seconds = time.perf_counter() - began
    engine.close()
    return seconds


if __name__ == "__main__":
    main()
