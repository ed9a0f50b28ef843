"""Accuracy against evaluated tokens: `python scripts/lab/sweep.py [--model lab-base] [--problems 60]`.

Held-out problems. One line a setting: cuts, blocks (1: the whole answer at once), steps, share right with its 95 %
interval, by family, tokens drawn for an answer, how many plain answers they are, and milliseconds each. --only shows
the settings that begin with a text.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from localpower.chance import StreamDice
from localpower.lab.problems import FAMILIES, LEVELS, Problem, draw, verify
from localpower.loading import Request, load
from localpower.runs.gather import Run, gather
from localpower.runs.tally import Tally
from localpower.samplers import Ancestral, BestOfN, Lookahead, PowerMH, PowerSMC, Sampler, Tempering
from localpower.samplers.cuts import cut_law
from localpower.samplers.kernel import Savers
from localpower.samplers.race import PLAIN_FORM, Form
from localpower.samplers.tempering import ladder
from localpower.text.conversation import Conversation

AT_ONCE, LONGEST, ALPHA = 8, 44, 4.0
NO_SAVERS = Savers(skip=False, early=False)


def samplers() -> dict[str, Sampler]:
    """What is compared, by its words."""

    def chain(cuts: str, blocks: int, steps: int, savers: Savers, form: Form = PLAIN_FORM) -> PowerMH:
        block = -(-LONGEST // blocks)
        return PowerMH(ALPHA, 1 / ALPHA, LONGEST, block, steps, cut_law(cuts), savers=savers, form=form)

    found: dict[str, Sampler] = {
        "base": Ancestral("base", 1.0, LONGEST),
        "low-temp": Ancestral("low-temp", 1 / ALPHA, LONGEST),
    }
    for steps in (5, 10, 20):
        found[f"uniform 1 {steps}, no savers"] = chain("uniform", 1, steps, NO_SAVERS)
    for blocks, all_steps in ((1, (3, 5, 10, 20, 40)), (4, (2, 5, 10))):
        for cuts in ("uniform", "restart", "entropy"):
            for steps in all_steps:
                found[f"{cuts} {blocks} {steps}"] = chain(cuts, blocks, steps, Savers())
    forms = {"metropolised": Form(metropolised=True)}
    for words, form in forms.items():
        for steps in (5, 10, 20):
            found[f"restart 1 {steps} {words}"] = chain("restart", 1, steps, Savers(), form)
    found["uniform 1 40, no savers"] = chain("uniform", 1, 40, NO_SAVERS)
    for n in (2, 4, 8):
        found[f"best-of-n {n} T=1/alpha"] = BestOfN(ALPHA, 1 / ALPHA, LONGEST, n)
        found[f"best-of-n {n} T=1"] = BestOfN(ALPHA, 1.0, LONGEST, n)
        found[f"best-of-n {n} T=1 likeliest"] = BestOfN(ALPHA, 1.0, LONGEST, n, "logp")
        for ramp in (0, 12, 32):
            found[f"smc {n} ramp {ramp}"] = PowerSMC(ALPHA, LONGEST, n, ramp)
    for rungs in (2, 4):
        for steps in (3, 5, 10):
            found[f"tempering {rungs} {steps}"] = Tempering(
                ALPHA, LONGEST, LONGEST, steps, ladder(ALPHA, rungs)
            )
    for candidates, rollouts in ((2, 1), (4, 1), (4, 2)):
        words = f"lookahead {candidates} {rollouts}"
        found[words] = Lookahead(ALPHA, 1 / ALPHA, LONGEST, 8, candidates, rollouts)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="lab-base")
    parser.add_argument("--problems", type=int, default=60, help="of each family, all levels alike")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=[""])
    options = parser.parse_args()
    loaded = load(Request(options.model))
    engine = loaded.engine((0,) * 20, LONGEST, 4 * AT_ONCE, lambda: None)
    rng = np.random.default_rng(options.seed)
    problems = [
        draw(family, LEVELS[i % len(LEVELS)], rng, held_out=True)
        for family in FAMILIES
        for i in range(options.problems)
    ]
    plain = 0.0
    for words, sampler in samplers().items():
        if words != "base" and not words.startswith(tuple(options.only)):
            continue

        def run(problem: Problem, index: int, sampler: Sampler = sampler) -> Run:
            prompt = loaded.prompt(Conversation.of(problem.prompt), raw=True, arguments={})
            dice = StreamDice(options.seed, (index,))
            return Run(prompt, lambda handle: sampler.run(handle, prompt, dice))

        right, drawn, began = defaultdict(int), 0, time.perf_counter()
        for first in range(0, len(problems), AT_ONCE):
            part = problems[first : first + AT_ONCE]
            tallies = [Tally() for _ in part]
            for chain, event in gather(engine, [run(p, first + i) for i, p in enumerate(part)]):
                tallies[chain] = tallies[chain].add(event)
            for problem, tally in zip(part, tallies, strict=True):
                text = b"".join(map(loaded.piece, tally.state.tokens)).decode()
                right[problem.family] += verify(problem, text)
                drawn += tally.n_decoded
        n = len(problems)
        share = sum(right.values()) / n
        half = 1.96 * math.sqrt(share * (1 - share) / n)
        plain = plain or drawn / n
        families = " ".join(f"{family} {right[family] / options.problems:.2f}" for family in FAMILIES)
        print(
            f"{words:<28} {share:.3f} ±{half:.3f}  {families}  {drawn / n:6.1f} tokens  {drawn / n / plain:5.1f}x"
            f"  {(time.perf_counter() - began) / n * 1e3:5.0f} ms",
            flush=True,
        )


if __name__ == "__main__":
    main()
