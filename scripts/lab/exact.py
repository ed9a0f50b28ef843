"""Lists the answers of a model to the held-out problems: `python scripts/lab/exact.py MODEL... [--out DIR] [--rows N]`.

One line a problem in DIR/exact/MODEL.jsonl, by `localpower.list_answers`; goes on where it was stopped. A problem of
which more than a hundredth of p^4 is missing then is listed once more with eight times the rows. What is known of p
and of every p^alpha from it is read off by truth.py: accuracy between two bounds, and how far samplers are.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

from arms import ALPHA, DEFAULT, FAMILIES

import localpower as lp
from localpower import jsonl
from localpower.evals.problem import Problem, subset
from localpower.evals.sources import Source
from localpower.evals.tasks import TASKS

MASS, ROWS, AGAIN, LONGEST = 0.95, 1000, 8, 44  # LONGEST: characters of an answer, as of the tasks
SURE = 0.01  # of p^ALPHA may be missing where distances are told


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
        done = {row["id"]: row for row in jsonl.kept(path, dict, "listing", print)}  # of two lines the last
        with lp.load(name, threads=1) as model, jsonl.Writer(path) as out:
            for problem in problems(DEFAULT.limit):
                row = done.get(problem.id)
                for rows, mass, alpha in (
                    (options.rows, MASS, 1.0),
                    (AGAIN * options.rows, 1.0 - SURE, ALPHA),
                ):
                    if row is not None and (row["missing_of_power"] <= SURE or row["rows"] >= rows):
                        continue
                    begun = time.perf_counter()
                    found = lp.list_answers(
                        model, problem.text, mass=mass, alpha=alpha, max_tokens=LONGEST, rows=rows, at_once=32
                    )
                    row = {"id": problem.id, "missing_of_power": found.missing_at(ALPHA), **found.to_dict()}
                    out.add(row)
                    print(
                        f"{name} {problem.id}: {found.rows} rows, missing {found.missing:.3f} of p and "
                        f"{row['missing_of_power']:.1g} of p^{ALPHA} · {time.perf_counter() - begun:.0f} s",
                        file=sys.stderr,
                    )


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except lp.UserError as error:
        sys.exit(error.line())
