"""Answers an hour by one process and by several: `python scripts/measure/workers.py [--model M] [--workers local:2]`.

The same small eval by one process and by workers, in turns, each into a folder of its own. Timed from the first answer
asked for to the last one on the disk: models are open by then in one process, and opened in that time by workers.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from localpower.api.cluster.spec import WorkersSpec
from localpower.api.eval_models import Surroundings
from localpower.api.eval_request import EvalRequest
from localpower.api.eval_run import run_eval
from localpower.api.evaluate import watched_by_nobody
from localpower.api.labels import label_methods
from localpower.loading import Request
from localpower.runs.interrupt import Interrupts


def measured(options: argparse.Namespace, workers: str | None, out: Path) -> dict[str, Any]:
    """Answers, seconds of all of them, and seconds until the first one was there."""
    times: list[float] = []

    @contextmanager
    def watching() -> Iterator[Any]:
        with watched_by_nobody() as watcher:
            watcher.start = lambda _n, _tokens: times.append(time.perf_counter())
            watcher.made = lambda _row: times.append(time.perf_counter())
            yield watcher

    request = EvalRequest(
        tasks=(options.task,),
        labels=label_methods([options.method], {}),
        out=out,
        drawn=1,
        models=(Request(options.model),),
        seed=1,
        limit=options.limit,
        workers=WorkersSpec.read(workers) if workers else None,
    )
    run_eval(request, Surroundings(Interrupts(), watching))
    seconds = times[-1] - times[0]
    steady = (len(times) - 2) / (times[-1] - times[1])
    return {
        "workers": workers or "one process",
        "answers": len(times) - 1,
        "seconds": round(seconds, 1),
        "answers_per_hour": round(3600 * (len(times) - 1) / seconds),
        "steady_per_hour": round(3600 * steady),  # after the first answer
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--task", default="tiny")
    parser.add_argument("--method", default="base,power:steps=3")
    parser.add_argument("--limit", type=int, default=24)
    parser.add_argument("--workers", default="local:2")
    parser.add_argument("--pairs", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for i in range(options.pairs):
            pair = [
                measured(options, workers, Path(folder) / f"{i}-{j}")
                for j, workers in enumerate((None, options.workers))
            ]
            ratios = {
                name: round(pair[1][name] / pair[0][name], 2)
                for name in ("answers_per_hour", "steady_per_hour")
            }
            print(
                json.dumps({"pair": i + 1, "one": pair[0], "several": pair[1], "ratios": ratios}), flush=True
            )


if __name__ == "__main__":
    main()
