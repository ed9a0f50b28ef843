"""Lists the answers of a model to the held-out problems: `python scripts/lab/exact.py MODEL... [--out DIR] [--rows N]`.

One line a problem in DIR/exact/MODEL.jsonl, by `localpower.list_answers`; goes on where it was stopped. What is known
of p and of every p^alpha from it is read off by results.py: accuracy between two bounds, and how far samplers are.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

from arms import DEFAULT, FAMILIES

import localpower as lp
from localpower import jsonl
from localpower.evals.problem import Problem, subset
from localpower.evals.sources import Source
from localpower.evals.tasks import TASKS

MASS, ROWS, LONGEST = 0.95, 1000, 44  # LONGEST: characters of an answer, as of the tasks


def problems(limit: int | None) -> list[Problem]:
    """Those that an eval with this limit asks, easy ones first."""
    source = Source(None, 0, str)
    found = [each for family in FAMILIES for each in subset(TASKS[f"lab-{family}"].problems(source), limit)]
    return sorted(found, key=lambda each: each.group)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="+")
    parser.add_argument("--out", type=Path, default=ROOT / ".cache" / "lab" / "runs")
    parser.add_argument("--rows", type=int, default=ROWS, help=f"of a problem [default: {ROWS}]")
    options = parser.parse_args()
    folder = options.out / "exact"
    folder.mkdir(parents=True, exist_ok=True)
    for name in options.models:
        path = folder / f"{name}.jsonl"
        done = {row["id"] for row in jsonl.kept(path, dict, "listing", print)}
        with lp.load(name, threads=1) as model, jsonl.Writer(path) as out:
            for problem in problems(DEFAULT.limit):
                if problem.id in done:
                    continue
                begun = time.perf_counter()
                found = lp.list_answers(
                    model, problem.text, mass=MASS, max_tokens=LONGEST, rows=options.rows, at_once=32
                )
                out.add({"id": problem.id, **found.to_dict()})
                print(
                    f"{name} {problem.id}: {len(found.answers)} answers, missing {found.missing:.3f} of p and "
                    f"{found.missing_at(4):.1g} of p^4 · {time.perf_counter() - begun:.0f} s",
                    file=sys.stderr,
                )


if __name__ == "__main__":
    main()
