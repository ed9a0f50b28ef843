"""Accuracy against evaluated tokens: `python scripts/lab/sweep.py [--model lab-base] [--problems 60]`.

Held-out problems. One line a setting: cuts, blocks (1: the whole answer at once), steps, share right with its 95 %
interval, by family, tokens drawn for an answer, and how many plain answers they are.
all, tokens drawn for an answer, and how many plain answers they are.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from localpower.chance import StreamDice
from localpower.lab.problems import FAMILIES, LEVELS, Problem, draw, verify
from localpower.loading import Request, load
from localpower.runs.gather import Run, gather
from localpower.runs.tally import Tally
from localpower.samplers import Ancestral, PowerMH, Sampler
from localpower.samplers.cuts import cut_law
from localpower.samplers.kernel import Savers
from localpower.text.conversation import Conversation

AT_ONCE, LONGEST, ALPHA = 8, 44, 4.0
NO_SAVERS = Savers(skip=False, early=False)


def samplers() -> dict[str, Sampler]:
    """What is compared, by its words."""

    def chain(cuts: str, blocks: int, steps: int, savers: Savers) -> PowerMH:
        block = -(-LONGEST // blocks)
        return PowerMH(ALPHA, 1 / ALPHA, LONGEST, block, steps, cut_law(cuts), savers=savers)

    found: dict[str, Sampler] = {
        "base": Ancestral("base", 1.0, LONGEST),
        "low-temp": Ancestral("low-temp", 1 / ALPHA, LONGEST),
    }
    for steps in (5, 10, 20):
        found[f"uniform 1 {steps}, no savers"] = chain("uniform", 1, steps, NO_SAVERS)
    for blocks, all_steps in ((1, (3, 5, 10, 20, 40)), (4, (2, 5, 10))):
        for cuts in ("uniform", "early", "restart", "entropy"):
            for steps in all_steps:
                found[f"{cuts} {blocks} {steps}"] = chain(cuts, blocks, steps, Savers())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="lab-base")
    parser.add_argument("--problems", type=int, default=60, help="of each family, all levels alike")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    loaded = load(Request(options.model))
    engine = loaded.engine((0,) * 20, LONGEST, AT_ONCE, lambda: None)
    rng = np.random.default_rng(options.seed)
    problems = [
        draw(family, LEVELS[i % len(LEVELS)], rng, held_out=True)
        for family in FAMILIES
        for i in range(options.problems)
    ]
    plain = 0.0
    for words, sampler in samplers().items():

        def run(problem: Problem, index: int, sampler: Sampler = sampler) -> Run:
            prompt = loaded.prompt(Conversation.of(problem.prompt), raw=True, arguments={})
            return lambda handle: sampler.run(handle, prompt, StreamDice(options.seed, (index,)))

        right, drawn = defaultdict(int), 0
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
            f"{words:<28} {share:.3f} ±{half:.3f}  {families}  {drawn / n:6.1f} tokens  {drawn / n / plain:5.1f}x",
            flush=True,
        )


if __name__ == "__main__":
    main()
