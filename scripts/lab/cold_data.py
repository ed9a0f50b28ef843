"""Draws and exports what each cold start learns from: `python scripts/lab/cold_data.py [START...] [--out DIR]`.

Answers of lab-base to training problems (cold_start.py), by `localpower.evaluate` and `localpower.export`, going on
where it was stopped. One row a problem, the first that is finished (and right, where only right ones are kept).
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

from cold_start import ROWS, SEED, STARTS, TASK, Start, task

import localpower as lp
from localpower.evals.tasks import TASKS


def drawn(start: Start, out: Path, parallel: int) -> lp.EvalRun:
    """The answers: made, or gone on with."""
    with lp.load("lab-base", threads=1) as model:
        return lp.evaluate(
            TASK, [model], [start.method], out=out / "answers" / start.folder, seed=SEED, limit=start.limit,
            samples=start.samples, parallel=parallel,
        )  # fmt: skip


def exported(start: Start, out: Path) -> lp.Exported:
    """The rows, at `cold_start.rows_file`. Raises UserError where they are fewer than every start has."""
    found = lp.export(
        out / "answers" / start.folder, out=out / "data" / start.name, formats="tokens", keep=start.keep,
        duplicates="keep", max_per_problem=1, overwrite=True,
    )  # fmt: skip
    if found.record.rows["train"] < ROWS:
        raise lp.UserError(
            f"{start.name} has {found.record.rows['train']:,} rows and every start needs {ROWS:,}"
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("starts", nargs="*", metavar="START", help="[default: all]")
    parser.add_argument("--out", type=Path, default=ROOT / ".cache" / "lab" / "cold")
    parser.add_argument("--at-once", type=int, default=16, help="answers in a batch [default: 16]")
    options = parser.parse_args()
    known = {start.name: start for start in STARTS}
    if unknown := [name for name in options.starts if name not in known]:
        raise lp.UsageProblem(f"there is no start {unknown[0]}: there are {', '.join(known)}")
    TASKS[TASK] = task()  # known by its name in this process
    for name in options.starts or known:
        begun = time.perf_counter()
        run = drawn(known[name], options.out, options.at_once)
        found = exported(known[name], options.out)
        cost = sum(answer.decoded_tokens for answer in run.answers) / len(run.answers)
        print(
            f"{name:<10} {found.record.rows['train']} rows · {cost:.1f} tokens an answer · "
            f"{time.perf_counter() - begun:.0f} s\n{found}",
            file=sys.stderr,
            flush=True,
        )


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("interrupted: the same command goes on from here", file=sys.stderr)
        sys.exit(130)
    except lp.UserError as error:
        sys.exit(error.line())
