"""Accuracy against seconds of a plain answer: `python scripts/lab/sweep.py [--model lab-base] [--problems 100]`.

Held-out problems, one answer at a time. One line a setting: accuracy with its 95 % interval, by family; tokens drawn
for an answer; rows evaluated (particles that say the same share one); seconds over those of a plain answer of 15.6
tokens: where rows are dear, as the default model's on this machine (its measured curve, decode by decode), where they
are cheap, as in a large model on a GPU (CHEAP), and as measured here with this model. --only shows the settings that
begin with a text.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from localpower.bench.measure import Forgetful
from localpower.chance import StreamDice
from localpower.lab.problems import FAMILIES, LEVELS, Problem, draw, verify
from localpower.loading import Request, load
from localpower.prices import Prices
from localpower.runs.gather import Run, gather
from localpower.runs.tally import Tally
from localpower.samplers import Ancestral, BestOfNSampler, LookaheadSampler, PowerMH, PowerSMC, Sampler
from localpower.samplers.acceptance import HOT_CUT, PLAIN_STEP, StepVariant
from localpower.samplers.cuts import cut_law
from localpower.samplers.kernel import ALL_OPTIMIZATIONS, Optimizations
from localpower.samplers.start import DRAW, Start
from localpower.text.conversation import Conversation
from localpower.width import relative_cost

LONGEST, ALPHA, WIDEST = 44, 4.0, 16
CHEAP = {1: 1.0, 4: 1.41, 16: 2.51, 64: 4.07}  # a 7B shape on an H200, docs/performance.md


def chain(
    steps: int,
    cuts: str = "restart",
    rho: float = 0.5,
    variant: StepVariant = HOT_CUT,
    start: Start = DRAW,
    optimizations: Optimizations = ALL_OPTIMIZATIONS,
    blocks: int = 1,
) -> PowerMH:
    """As many proposals in a batch as rows are cheap."""
    block, width = -(-LONGEST // blocks), max(min(steps, 8), 1)
    own = {
        "variant": variant,
        "start": start,
        "optimizations": optimizations,
        "prefetch": width,
        "adaptive": True,
    }
    return PowerMH(ALPHA, 1 / ALPHA, LONGEST, block, steps, cut_law(cuts, rho), **own)


def chains() -> dict[str, Sampler]:
    """Chains, by their words."""
    found: dict[str, Sampler] = {}
    plain = {"variant": PLAIN_STEP, "optimizations": Optimizations(skip=False, early=False)}
    for steps in (2, 10):
        published = chain(steps, "uniform", blocks=16, **plain)
        found[f"published, 16 blocks, N={steps}"] = replace(published, prefetch=1, adaptive=False)
    for steps in (10, 40):
        found[f"uniform {steps}, cold, no optimizations"] = chain(steps, "uniform", **plain)
    for steps in (3, 5, 10, 20, 40):
        found[f"restart .3 {steps}, cold"] = chain(steps, rho=0.3, variant=PLAIN_STEP)
        found[f"restart .3 {steps}"] = chain(steps, rho=0.3)
        found[f"restart .5 {steps}"] = chain(steps)
    for cuts in ("uniform", "entropy"):
        for steps in (5, 10):
            found[f"{cuts} {steps}"] = chain(steps, cuts)
    for steps in (5, 10):
        found[f"restart .5 {steps}, metropolised"] = chain(
            steps, variant=StepVariant(hot_cut=True, metropolised=True)
        )
    for n in (2, 4, 8):
        for steps in (0, 3, 5):
            found[f"start smc:{n}, {steps}"] = chain(steps, start=Start("smc", n))
    found["start best-of-n:4, 3"] = chain(3, start=Start("best-of-n", 4))
    return found


def samplers() -> dict[str, Sampler]:
    """What is compared, by its words."""
    found: dict[str, Sampler] = {
        "base": Ancestral("base", 1.0, LONGEST),
        "low-temp": Ancestral("low-temp", 1 / ALPHA, LONGEST),
        **chains(),
    }
    for n in (2, 4, 8):
        found[f"best-of-n {n} T=1/alpha"] = BestOfNSampler(ALPHA, 1 / ALPHA, LONGEST, n)
        found[f"best-of-n {n} T=1"] = BestOfNSampler(ALPHA, 1.0, LONGEST, n)
        for ramp in (12, 32):
            found[f"smc {n} ramp {ramp}"] = PowerSMC(ALPHA, LONGEST, n, ramp)
    found["lookahead 4 1"] = LookaheadSampler(ALPHA, 1 / ALPHA, LONGEST, 8, 4, 1)
    return found


class Stored(Prices):
    """What rows cost on another machine: nothing that is seen here changes it."""

    def note(self, rows: int, seconds: float) -> None:
        """It is not."""


@contextmanager
def counted(engine: Any) -> Iterator[Counter[int]]:
    """How many decodes of each width the engine is asked for: of different contexts."""
    plain, widths = engine.logits, Counter()

    def logits(contexts: Sequence[Any], lengths: Any = None) -> Any:
        widths[len(set(contexts))] += 1
        return plain(contexts, lengths)

    engine.logits = logits
    try:
        yield widths
    finally:
        del engine.logits


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="lab-base")
    parser.add_argument("--problems", type=int, default=100, help="of each family, all levels alike")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=[""])
    options = parser.parse_args()
    loaded = load(Request(options.model))
    dear = load(Request(None)).verdict.curve
    print(f"dear { ({n: round(relative_cost(dear, n), 2) for n in (2, 4, 8, 16)}) }, cheap {CHEAP}")
    engine = loaded.engine((0,) * 20, LONGEST, WIDEST, lambda: None)
    here = engine.prices.curve
    print(f"here { ({n: round(relative_cost(here, n), 2) for n in (2, 4, 8, 16)}) }")
    rng = np.random.default_rng(options.seed)
    problems = [
        draw(family, LEVELS[i % len(LEVELS)], rng, held_out=True)
        for family in FAMILIES
        for i in range(options.problems)
    ]

    def run(problem: Problem, index: int, sampler: Sampler, *, forget: bool) -> Tally:
        prompt = loaded.prompt(Conversation.of(problem.prompt), raw=True, arguments={})
        tally = Tally()
        start = Run(prompt, lambda handle: sampler.run(handle, prompt, StreamDice(options.seed, (index,))))
        for _, event in gather(Forgetful(engine) if forget else engine, [start]):
            tally = tally.add(event)
        return tally

    n, plain, plain_tokens = len(problems), 0.0, 0.0
    for words, sampler in samplers().items():
        if words != "base" and not words.startswith(tuple(options.only)):
            continue
        times, forget = (
            [],
            words.startswith("published"),
        )  # whose code reads everything again for each proposal
        for curve in (CHEAP, dear):  # which decides how many proposals share a batch, but no answer
            if not times or getattr(sampler, "adaptive", False):
                engine.prices = Stored(curve)
                with counted(engine) as widths:
                    tallies = [run(problem, i, sampler, forget=forget) for i, problem in enumerate(problems)]
            times.insert(0, sum(k * relative_cost(curve, width) for width, k in widths.items()) / n)
        rows = sum(width * count for width, count in widths.items()) / n
        engine.prices = Stored(here)
        began = time.perf_counter()
        for i, problem in enumerate(problems):
            run(problem, i, sampler, forget=forget)
        seconds = (time.perf_counter() - began) / n
        right = defaultdict(int)
        for problem, tally in zip(problems, tallies, strict=True):
            text = b"".join(map(loaded.piece, tally.state.tokens)).decode()
            right[problem.family] += verify(problem, text)
        share = sum(right.values()) / n
        half = 1.96 * math.sqrt(share * (1 - share) / n)
        drawn = sum(tally.n_decoded for tally in tallies) / n
        length = sum(len(tally.state) for tally in tallies) / n
        plain, plain_tokens = plain or seconds, plain_tokens or drawn
        families = " ".join(f"{right[family] / options.problems:.2f}" for family in FAMILIES)
        dearly, cheaply = (each / plain_tokens for each in times)
        print(
            f"{words:<32} {share:.3f} ±{half:.3f}  {families}  length {length:4.1f}  drawn {drawn:6.1f}"
            f" rows {rows:5.1f}  dear {dearly:5.1f}x cheap {cheaply:4.1f}x here {seconds / plain:4.1f}x",
            flush=True,
        )


if __name__ == "__main__":
    main()
