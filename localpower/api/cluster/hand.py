"""A worker's own side: it opens the model, asks the problems as the coordinator did, and makes pieces."""

from __future__ import annotations

import base64
import json
import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localpower import __version__
from localpower.api.cluster.copying import copied
from localpower.api.cluster.work import Piece, Work, WorkModel
from localpower.api.eval_asking import Asked, ask_one
from localpower.api.labels import eval_methods
from localpower.errors import ModelError, UserError
from localpower.evals.grade import Grader
from localpower.evals.jobs import Job, RenderedProblem, job_of
from localpower.evals.making import make_rows
from localpower.evals.running import best_parallel, engine_for
from localpower.evals.store import Row
from localpower.evals.tasks import find_tasks
from localpower.loaded import Loaded
from localpower.loading import load
from localpower.readers import MOST_RUNS
from localpower.runs.gather import Engine
from localpower.subprocesses import tell

if TYPE_CHECKING:
    from localpower.engine.probe import Verdict


class Hand:
    """Makes pieces with one model open at a time. threads: of its own; None: as the request says, else automatic."""

    def __init__(self, work: Work, threads: int | None) -> None:
        """Raises UserError for another version of localpower, which might answer otherwise."""
        if work.version != __version__:
            raise UserError(
                f"this worker has localpower {__version__}, and the eval is of {work.version}",
                "install the same version everywhere",
            )
        self._work, self._threads = work, threads
        self._tasks = find_tasks(work.request.tasks)
        self._grader = Grader(work.request.grader)
        self._model: str | None = None
        self._loaded: Loaded | None = None
        self._asked: Asked = {}
        self._engine: Engine | None = None

    def make(self, piece: Piece) -> Iterator[Row]:
        """A row for each answer, in the order in which they end. Raises UserError."""
        loaded = self._open(piece.model)
        request = self._work.request
        methods = {
            method.label: method
            for method in eval_methods(request.labels, lambda: loaded, request.parallel, self._grader)
        }
        places = {
            (task, question.problem.id): (i, question)
            for task, asked in self._asked.items()
            for i, question in enumerate(asked)
        }
        by_task: dict[str, list[Job]] = {}
        for task, problem_id, model, label, sample in piece.keys:
            place, question = places[task, problem_id]
            job = job_of(
                *(question, place, model, methods[label], sample, self._work.seed, piece.matched),
            )
            by_task.setdefault(task, []).append(job)
        for task, jobs in by_task.items():
            engine, at_once = self._ready(loaded, self._asked[task], jobs)
            yield from make_rows(
                *(loaded, engine, jobs, at_once, self._grader),
                save_text=lambda job: request.save_text or not job.asked.task.secret,
                check=lambda: None,
            )

    def _ready(self, loaded: Loaded, asked: list[RenderedProblem], jobs: list[Job]) -> tuple[Engine, int]:
        """An engine that later pieces go on with, and how many answers it makes at once."""
        width = max(job.sampler.width for job in jobs)
        at_once = self._work.request.parallel or best_parallel(loaded, asked, width, MOST_RUNS)
        at_once = max(min(at_once, MOST_RUNS // width), 1)
        prompts = at_once * max(getattr(job.sampler, "n_prompts", 1) for job in jobs)
        self._engine = engine_for(loaded, asked, at_once, width, lambda: None, self._engine, prompts)
        return self._engine, at_once

    def _open(self, label: str) -> Loaded:
        if self._model != label or self._loaded is None:
            self._engine = self._loaded = None  # its memory is free before the next one needs some
            self._loaded = opened_like(
                self._work.models[label], self._threads, copy=self._work.request.copy_model
            )
            self._model = label
            work = self._work
            self._asked = ask_one(
                *(work.request, label, self._loaded, self._tasks, work.problems, work.started)
            )
        return self._loaded


def opened_like(model: WorkModel, threads: int | None, *, copy: bool) -> Loaded:
    """The model, the same file to the last bit, in the engine settings of the coordinator where the processor is alike.

    Raises ModelError.
    """
    request = model.request if threads is None else replace(model.request, threads=threads)
    if model.sha256 is None:
        return load(request)
    at = copied(Path(str(model.path)), model.sha256) if copy else None
    loaded = load(request, at=at, settled=lambda threads, layers: _settled(model, threads, layers))
    if loaded.info.sha256 != model.sha256:
        raise ModelError(
            f"{loaded.info.path} is another model here than where the eval was started",
            "the file must be the same on every machine: --copy-model copies it from shared storage",
        )
    return loaded


def _settled(model: WorkModel, threads: int, gpu_layers: int) -> Verdict | None:
    """The coordinator's own, on a machine like its; elsewhere the engine is checked as ever."""
    from importlib.metadata import version

    from localpower.engine.probe import Verdict
    from localpower.engine.verdict import processor

    if model.verdict is None or (processor(), version("llama-cpp-python")) != (model.processor, model.engine):
        return None
    found = Verdict.from_json(model.verdict)
    if found.settings.gpu_layers != gpu_layers:
        return None
    return replace(found, settings=replace(found.settings, threads=threads))


_hands: list[Hand] = []  # of this process, where `localpower.subprocesses` runs it


def answer(request: dict[str, Any]) -> int:
    """What a process of this machine is asked: first `work`, then pieces. Rows are told. Raises UserErrors."""
    if "work" in request:
        work = pickle.loads(base64.b64decode(request["work"]))
        _hands[:] = [Hand(work, request["threads"])]
        return 0
    piece, n = pickle.loads(base64.b64decode(request["piece"])), 0
    for row in _hands[0].make(piece):
        tell(json.dumps(row, allow_nan=False))
        n += 1
    return n
