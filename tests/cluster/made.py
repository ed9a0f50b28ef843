"""Evals that several makers share, and what they must come to."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path

from localpower.api.cluster.spec import WorkersSpec
from localpower.api.eval_models import Surroundings
from localpower.api.eval_request import EvalRequest
from localpower.api.eval_run import run_eval
from localpower.api.evaluate import Nobody
from localpower.api.labels import label_methods
from localpower.loading import Request
from localpower.runs.interrupt import Interrupts

TIMES = ("seconds", "tokens_per_second", "time_multiple")


def rows_of(folder: Path) -> dict:
    """The answers of a run and all its parts, without times; of an answer that is there twice both are the same."""
    rows: dict = {}
    for file in sorted(folder.rglob("answers.jsonl")):
        for line in file.read_text("ascii").splitlines():
            row = {name: value for name, value in json.loads(line).items() if name not in TIMES}
            place = tuple(row[name] for name in ("task", "id", "model", "method", "sample"))
            assert rows.setdefault(place, row) == row
    return rows


class Listener(Nobody):
    """Hears of an eval. heard(n): when the n-th answer is there."""

    def __init__(self, heard=lambda n: None):
        self.n, self.said, self.heard = 0, [], heard

    def made(self, row):
        self.n += 1
        self.heard(self.n)


def evaluated(out: Path, workers=None, *, model="toy", task="tiny", listener=None, limit=6, **more) -> bool:
    """A small eval by the library, as the command has it."""
    listener = listener or Listener()
    request = EvalRequest(
        tasks=(task,),
        labels=label_methods(["base,power:steps=2"], {}),
        out=out,
        drawn=1,
        models=(Request(model),),
        seed=1,
        limit=limit,
        workers=WorkersSpec.read(workers) if workers else None,
        **({"max_tokens": 8} if model == "toy" else {}) | more,
    )
    around = Surroundings(Interrupts(()), lambda: nullcontext(listener), listener.said.append)
    return run_eval(request, around)
