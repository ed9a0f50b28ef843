"""Chooses the cue of each family on training problems: `python scripts/lab/cue.py [--problems N]`.

A cue is a text that every answer of a family is made to begin with, whatever the problem (arXiv 2610.06851 uses two
tokens). Candidates are the single characters that an answer of the family can begin with; the one whose answers are
most often right, at T = 1, on problems that are not held out, is the cue. Prints every candidate's share.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

import localpower as lp
from localpower.lab.problems import FAMILIES, LEVELS, draw, verify

CANDIDATES = {"sum": ">0123456789", "countdown": ">(123456789", "chain": ">abcde"}
_LONGEST = 44  # characters of an answer, as of the tasks


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--problems", type=int, default=100, help="of each family, all levels alike")
    parser.add_argument("--seed", type=int, default=3)
    options = parser.parse_args()
    model = lp.load("lab-base", threads=1)
    for family in FAMILIES:
        rng = np.random.default_rng([options.seed, FAMILIES.index(family)])
        problems = [
            draw(family, LEVELS[i % len(LEVELS)], rng, held_out=False) for i in range(options.problems)
        ]
        shares = {}
        for cue in ("", *CANDIDATES[family]):
            prompts = [problem.prompt + cue for problem in problems]
            answers = model.generate_many(
                prompts, lp.Base(), seed=options.seed, max_tokens=_LONGEST - len(cue), at_once=16, raw=True
            )
            shares[cue] = float(
                np.mean([verify(p, cue + a.text) for p, a in zip(problems, answers, strict=True)])
            )
        best = max((cue for cue in shares if cue), key=shares.__getitem__)
        told = " ".join(f"{cue or 'none'} {share:.2f}" for cue, share in shares.items())
        print(f"{family}: {best!r} · {told}", flush=True)


if __name__ == "__main__":
    main()
