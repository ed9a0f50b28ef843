"""How likely an answer each setting reaches, and at what cost: `python scripts/measure/reached.py [--model NAME]`.

Ten fixed prompts, all at once, one chain each, from the same seed. One line a setting: mean log p of the answers (nats;
what p^alpha weighs, times alpha), median tokens drawn over tokens of the answer, tokens and seconds in all.
"""

from __future__ import annotations

import argparse
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
from localpower.samplers import Ancestral, BestOfN, Lookahead, PowerMH, PowerSMC, Sampler, Tempering
from localpower.samplers.cuts import cut_law
from localpower.samplers.tempering import ladder
from localpower.text.conversation import Conversation

MOST = 60  # answers in one batch


def samplers(alpha: float, longest: int) -> dict[str, Sampler]:
    """What is compared, by its words: cuts, blocks, steps."""
    found: dict[str, Sampler] = {
        "base": Ancestral("base", 1.0, longest),
        "low-temp": Ancestral("low-temp", 1 / alpha, longest),
    }
    for cuts, blocks, steps in (
        *(("restart", 1, steps) for steps in (3, 5, 8, 12)),
        *(("uniform", 1, steps) for steps in (5, 10, 20)),
        *(("entropy", 1, steps) for steps in (3, 5, 8)),
        *(("restart", 4, steps) for steps in (2, 5)),
        *(("uniform", 4, steps) for steps in (2, 5)),
    ):
        chain = PowerMH(alpha, 1 / alpha, longest, -(-longest // blocks), steps, cut_law(cuts))
        found[f"{cuts} {blocks} {steps}"] = chain
    for n in (4, 8):
        found[f"best-of-n {n}"] = BestOfN(alpha, 1 / alpha, longest, n)
        for ramp in (0, 32, 64):
            found[f"smc {n} ramp {ramp}"] = PowerSMC(alpha, longest, n, ramp)
    for rungs, steps in ((2, 5), (4, 3)):
        found[f"tempering {rungs} {steps}"] = Tempering(alpha, longest, longest, steps, ladder(alpha, rungs))
    for candidates, rollouts in ((2, 1), (4, 1)):
        words = f"lookahead {candidates} {rollouts}"
        found[words] = Lookahead(alpha, 1 / alpha, longest, 16, candidates, rollouts)
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
        mean = statistics.fmean(tally.state.total_log_p() for tally in tallies)
        cost = statistics.median(tally.n_decoded / len(tally.state) for tally in tallies)
        drawn = sum(tally.n_decoded for tally in tallies)
        print(f"{words:<16} log p {mean:8.2f}  {cost:5.1f}x  {drawn:6} tokens  {seconds:6.1f} s", flush=True)


if __name__ == "__main__":
    main()
