"""How likely an answer each setting reaches, and at what cost: `python scripts/measure/reached.py [--model NAME]`.

Ten fixed prompts, all at once, one chain each, from the same seeds.
One line a setting: mean log p of the answers (nats;
what p^alpha weighs, times alpha) with its standard error, tokens drawn over tokens of the answers, mean length, and
seconds.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from localpower.bench.prompts import PROMPTS
from localpower.chance import StreamDice
from localpower.loading import Request, load
from localpower.runs.gather import Run, gather
from localpower.runs.tally import Tally
from localpower.samplers import Ancestral, BestOfNSampler, LookaheadSampler, PowerMH, PowerSMC, Sampler
from localpower.samplers.acceptance import HOT_CUT, PLAIN_STEP
from localpower.samplers.cuts import cut_law
from localpower.samplers.start import Start
from localpower.text.conversation import Conversation

MOST = 60  # answers in one batch


def samplers(alpha: float, longest: int) -> dict[str, Sampler]:
    """What is compared, by its words: cuts, steps."""
    found: dict[str, Sampler] = {
        "base": Ancestral("base", 1.0, longest),
        "low-temp": Ancestral("low-temp", 1 / alpha, longest),
    }
    for variant, words in ((PLAIN_STEP, ", cold"), (HOT_CUT, "")):
        for cuts, rho, steps in (
            ("restart", 0.3, 5),
            ("restart", 0.3, 10),
            ("restart", 0.5, 5),
            ("restart", 0.5, 8),
            ("uniform", None, 10),
            ("entropy", None, 5),
        ):
            law = cut_law(cuts) if rho is None else cut_law(cuts, rho)
            name = f"{cuts}{f' {rho}' if rho else ''} {steps}{words}"
            found[name] = PowerMH(alpha, 1 / alpha, longest, longest, steps, law, variant=variant)
    found["start smc:4, 3"] = PowerMH(alpha, 1 / alpha, longest, longest, 3, start=Start("smc", 4))
    found["best-of-n 4"] = BestOfNSampler(alpha, 1 / alpha, longest, 4)
    for n in (4, 8):
        found[f"smc {n} ramp 32"] = PowerSMC(alpha, longest, n, 32)
    found["lookahead 2 1"] = LookaheadSampler(alpha, 1 / alpha, longest, 16, 2, 1)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", help="a GGUF file or a catalogue name; else the default model")
    parser.add_argument("--max-tokens", type=int, default=128)
    parser.add_argument("--alpha", type=float, default=4.0)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=[""])
    options = parser.parse_args()
    loaded = load(Request(options.model))
    prompts = [
        loaded.prompt(Conversation.of(text), raw=not loaded.has_template, arguments={}) for text in PROMPTS
    ]
    for words, sampler in samplers(options.alpha, options.max_tokens).items():
        if not words.startswith(tuple(options.only)):
            continue
        at_once = min(len(prompts), MOST // sampler.width)
        engine = loaded.engine(
            max(prompts, key=len), options.max_tokens, sampler.width * at_once, lambda: None, chains=at_once
        )
        began = time.perf_counter()
        tallies: list[Tally] = []
        for seed in range(1, options.seeds + 1):
            for first in range(0, len(prompts), at_once):
                part = prompts[first : first + at_once]
                found = [Tally() for _ in part]

                def run(i: int, first: int = first, seed: int = seed, sampler: Sampler = sampler) -> Run:
                    prompt, dice = prompts[first + i], StreamDice(seed, (first + i,))
                    return Run(prompt, lambda handle: sampler.run(handle, prompt, dice))

                for i, event in gather(engine, [run(i) for i in range(len(part))]):
                    found[i] = found[i].add(event)
                tallies += found
        seconds = time.perf_counter() - began
        log_p = [tally.state.total_log_p() for tally in tallies]
        error = statistics.stdev(log_p) / math.sqrt(len(log_p))
        length = sum(len(tally.state) for tally in tallies)
        cost = sum(tally.n_decoded for tally in tallies) / length
        print(
            f"{words:<22} log p {statistics.fmean(log_p):8.2f} ±{error:4.1f}  {cost:5.2f}x"
            f"  length {length / len(tallies):4.0f}  {seconds:6.1f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
