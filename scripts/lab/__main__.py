"""Is reinforcement learning just distribution sharpening? `python scripts/lab [--quick|--full]`: docs/lab.md.

Asks every arm (arms.py) the held-out problems of the three families through `localpower.evaluate`, keeps every answer
and verdict in `--out`, and goes on there when it was stopped. A larger mode takes the answers of a smaller one over.
The last line on stdout is one JSON object; everything else goes to stderr.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

from arms import DEFAULT, FAMILIES, FULL, MAIN, QUICK, SEED, TIMING, Arm, Mode, sweeps, trained
from cold_start import cold_arms
from results import gather
from summary import line

import localpower as lp


def asked(mode: Mode, models: Path | None) -> list[Arm]:
    """The arms of a run. models: folder of what was trained beside the shipped models."""
    if mode is not FULL:
        return [*MAIN, *trained(models)]
    return [*MAIN, *sweeps(), *trained(models), *cold_arms(models)]


def answered(arm: Arm, mode: Mode, out: Path, threads: int | None, at_once: int) -> list[lp.EvalRun]:
    """The runs of an arm: made, or gone on with."""
    with lp.load(arm.model, threads=threads) as model:
        return [
            lp.evaluate(
                tasks, [model], [arm.method], out=out / folder, seed=SEED, limit=mode.limit,
                samples=getattr(mode, arm.size), answer_prefix=prefix, parallel=at_once,
            )
            for folder, tasks, prefix in arm.parts()
        ]  # fmt: skip


def timed(out: Path, threads: int) -> None:
    """Every method of the base in one run, the methods in turn and one answer at a time: their seconds compare."""
    methods = list(dict.fromkeys(arm.method for arm in (*MAIN, *sweeps()) if arm.model == "lab-base"))
    tasks = [f"lab-{family}" for family in FAMILIES]
    with lp.load("lab-base", threads=threads) as model:
        lp.evaluate(tasks, [model], methods, out=out / TIMING, seed=SEED, limit=QUICK.limit, parallel=1)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python scripts/lab", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", dest="mode", action="store_const", const=QUICK, default=DEFAULT)
    size.add_argument("--full", dest="mode", action="store_const", const=FULL)
    parser.add_argument("--out", type=Path, default=ROOT / ".cache" / "lab" / "runs")
    parser.add_argument(
        "--models", type=Path,
        help="folder of what train_grpo.py wrote: controls, checkpoints; with --full of what cold_train.py wrote too",
    )  # fmt: skip
    parser.add_argument("--only", nargs="+", default=[], help="arms whose names begin so")
    parser.add_argument("--results", type=Path, help="write the counts here: docs/lab.json is such a file")
    parser.add_argument("--made", default="", help="when and where, for that file")
    parser.add_argument(
        "--threads", type=int, default=1, help="[default: 1; a small model gains nothing by more]"
    )
    parser.add_argument("--timing", action="store_true", help="measure the seconds of every sampler, in turn")
    parser.add_argument("--at-once", type=int, default=16, help="answers in a batch [default: 16]")
    options = parser.parse_args(arguments)
    if options.models and not options.models.is_dir():
        raise lp.UsageProblem(f"there is no folder {options.models}")
    mode, start = options.mode, time.perf_counter()
    for arm in asked(mode, options.models):
        if options.only and not arm.name.startswith(tuple(options.only)):
            continue
        begun = time.perf_counter()
        runs = answered(arm, mode, options.out, options.threads, options.at_once)
        verdicts = [answer.verdict for run in runs for answer in run.answers]
        print(
            f"{arm.name:<16} {verdicts.count('right') / len(verdicts):.3f} of {len(verdicts)} answers · "
            f"{time.perf_counter() - begun:.0f} s",
            file=sys.stderr,
            flush=True,
        )
    if options.timing:
        timed(options.out, options.threads)
    results = gather(options.out, asked(FULL, options.models), options.made, options.models)
    if options.results:
        results.write(options.results)
    print(json.dumps(line(results, time.perf_counter() - start)))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("interrupted: the same command goes on from here", file=sys.stderr)
        sys.exit(130)
    except lp.UserError as error:
        sys.exit(error.line())
    except OSError as error:
        sys.exit(f"cannot write {error.filename or 'the results'}: {error.strerror}")
