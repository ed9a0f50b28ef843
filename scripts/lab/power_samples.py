"""Draws power samples of a lab model on training problems, by this package's own sampler: what lab-sft learns from.

`python scripts/lab/power_samples.py OUT.jsonl [--problems N]`, going on where it was stopped. No verifier looks at
them while they are drawn or chosen; `right` is there for the card alone.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from localpower import jsonl
from localpower.chance import StreamDice
from localpower.lab.problems import FAMILIES, LEVELS, Problem, draw, verify
from localpower.loading import Request, load
from localpower.runs.gather import Run, gather
from localpower.runs.tally import Tally
from localpower.samplers import PowerMH
from localpower.text.conversation import Conversation

AT_ONCE, LONGEST = 4, 44  # answers in a batch; the longest answer of the corpus has 41 characters


def problem_at(seed: int, index: int) -> Problem:
    """A training problem of any family and level."""
    rng = np.random.default_rng([seed, index, 2])
    return draw(str(rng.choice(FAMILIES)), int(rng.choice(LEVELS)), rng, held_out=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--problems", type=int, default=4096)
    parser.add_argument("--alpha", type=float, default=4.0)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", default="lab-base")
    options = parser.parse_args()
    loaded = load(Request(options.model))
    sampler = PowerMH(options.alpha, 1 / options.alpha, LONGEST, LONGEST, options.steps)
    engine = loaded.engine((0,) * 20, LONGEST, AT_ONCE, lambda: None)
    done = len(jsonl.kept(options.out, dict, "sample", print))
    start, tokens, right = time.perf_counter(), 0, 0
    with jsonl.Writer(options.out) as out:
        for first in range(done, options.problems, AT_ONCE):
            indices = range(first, min(first + AT_ONCE, options.problems))
            problems = [problem_at(options.seed, index) for index in indices]

            def run(problem: Problem, index: int) -> Run:
                prompt = loaded.prompt(Conversation.of(problem.prompt), raw=True, arguments={})
                dice = StreamDice(options.seed, (index,))
                return Run(prompt, lambda handle: sampler.run(handle, prompt, dice))

            tallies = [Tally() for _ in problems]
            for chain, event in gather(engine, [run(*pair) for pair in zip(problems, indices, strict=True)]):
                tallies[chain] = tallies[chain].add(event)
            for problem, tally in zip(problems, tallies, strict=True):
                text = b"".join(map(loaded.piece, tally.state.tokens)).decode()
                row = {
                    "prompt": problem.prompt,
                    "answer": text,
                    "family": problem.family,
                    "level": problem.level,
                }
                out.add(row | {"right": verify(problem, text), "ended": tally.state.ended})
                right += verify(problem, text)
                tokens += tally.n_decoded
            n, seconds = indices.stop - done, time.perf_counter() - start
            if indices.stop % 256 == 0:
                print(
                    f"{indices.stop}/{options.problems} · right {right / n:.3f} · {tokens / n:.0f} tokens each · "
                    f"{tokens / seconds:.0f} tok/s · {seconds:.0f} s",
                    file=sys.stderr,
                )


if __name__ == "__main__":
    main()
