"""Draws traces of lab-tools on training problems by this package, as `localpower eval` does, and exports them.

`python scripts/lab/tools_traces.py OUT --method power:alpha=4:steps=20 [--problems N]`: OUT/run is the eval, which goes
on where it was stopped, OUT/data its export. No verifier looks at the traces while they are drawn or chosen.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

import localpower
from localpower.evals.problem import Problem
from localpower.evals.sources import Source
from localpower.evals.tasks import TASKS
from localpower.lab.problems import LEVELS
from localpower.lab.products import FAMILY, draw_product

NAME = "lab-product-train"


def problems(source: Source) -> list[Problem]:
    """Two thousand training problems of all levels."""
    rng = np.random.default_rng([1, 5])
    found = {}
    for i in range(2000):
        problem = draw_product(LEVELS[i % len(LEVELS)], rng, held_out=False)
        gold = {"family": FAMILY, "prompt": problem.prompt, "solution": problem.solution}
        name = f"{NAME}/{problem.prompt}"
        found[name] = Problem(name, problem.prompt, gold, f"level {problem.level}")
    return list(found.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--method", default="power:alpha=4:steps=20")
    parser.add_argument("--problems", type=int, default=512)
    parser.add_argument("--model", default="lab-tools")
    options = parser.parse_args()
    TASKS[NAME] = replace(TASKS["lab-product"], name=NAME, problems=problems)
    run = localpower.evaluate(
        NAME,
        options.model,
        [options.method],
        limit=options.problems,
        seed=1,
        out=options.out / "run",
        max_turns=4,
        observation_tokens=20,
    )
    print(localpower.compare(run))
    print(
        localpower.export(
            run, out=options.out / "data", formats="tokens", duplicates="keep", overwrite=True, say=print
        )
    )


if __name__ == "__main__":
    main()
