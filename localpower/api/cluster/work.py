"""What a worker is told: once what the eval is about, then pieces of it. Both can be pickled."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from localpower import __version__
from localpower.api.eval_request import EvalRequest
from localpower.errors import UsageProblem
from localpower.evals.problem import Problem
from localpower.evals.store import Key, Row
from localpower.loaded import Loaded
from localpower.loaded.gguf import LoadedGguf
from localpower.loading import Request


def portable(request: Request) -> Request:
    """With a file's path that holds in any folder."""
    path = Path(request.model or "")
    return replace(request, model=str(path.absolute())) if request.model and path.is_file() else request


def portable_tasks(tasks: Sequence[str]) -> tuple[str, ...]:
    """The same of task files."""
    return tuple(str(Path(task).absolute()) if task.lower().endswith(".toml") else task for task in tasks)


@dataclass(frozen=True, slots=True)
class WorkModel:
    """A model as every worker opens it. verdict: the engine's settings, plain JSON, as found on `processor`."""

    request: Request
    path: str | None
    sha256: str | None
    verdict: dict[str, Any] | None
    processor: str
    engine: str

    @classmethod
    def of(cls, request: Request | Loaded, loaded: Loaded) -> WorkModel:
        """Raises UsageProblem for a model that only this process has."""
        if not isinstance(request, Request):
            raise UsageProblem(
                "workers open models by themselves", "give a name or a file, not a loaded model"
            )
        if not isinstance(loaded, LoadedGguf):
            return cls(replace(request, model=loaded.info.name), None, None, None, "", "")
        from importlib.metadata import version

        from localpower.engine.verdict import processor

        info = loaded.info
        named = portable(replace(request, model=request.model or info.name))
        found = loaded.verdict.to_json()
        return cls(named, info.path, info.sha256, found, processor(), version("llama-cpp-python"))


@dataclass(frozen=True, slots=True)
class Work:
    """An eval for a worker. problems: of each task, all that are asked. started: the time that templates may tell.

    version: of localpower, the same everywhere.
    """

    request: EvalRequest
    problems: Mapping[str, Sequence[Problem]]
    started: datetime.datetime
    seed: int
    models: Mapping[str, WorkModel]
    version: str = __version__

    @property
    def threads(self) -> int | None:
        """The most that a model's request names; None: none does."""
        return max((model.request.threads or 0 for model in self.models.values()), default=0) or None

    @classmethod
    def of(
        cls,
        request: EvalRequest,
        problems: Mapping[str, Sequence[Problem]],
        started: datetime.datetime,
        seed: int,
        models: Mapping[str, WorkModel],
    ) -> Work:
        """With what a worker needs of the request."""
        told = replace(request, tasks=portable_tasks(request.tasks), password=str, models=(), workers=None)
        return cls(told, dict(problems), started, seed, dict(models))


@dataclass(frozen=True, slots=True)
class Piece:
    """Answers of one model, by their keys. matched: by (task, method) the mean n of best-of-n."""

    model: str
    keys: tuple[Key, ...]
    matched: Mapping[tuple[str, str], float]


class Lost(Exception):
    """A worker is gone; what it had not handed over is to be made by another. The text says why."""


class Worker(Protocol):
    """Somebody who makes pieces, one at a time; called from a thread of its own."""

    @property
    def name(self) -> str:
        """For people."""

    def make(self, piece: Piece, heard: Callable[[Row], None], stop: Callable[[], bool]) -> None:
        """Make the answers; each is heard of when it is there. Raises Lost, UserError, and Interrupted by stop()."""

    def close(self) -> None:
        """End it."""


class Workers(Protocol):
    """One kind of workers."""

    def more(self) -> Sequence[Worker]:
        """Those that are there now and were not handed out yet: at first all, later who joins or takes a lost one's
        place. Raises UserError where there can be none.
        """

    def lost(self, worker: Worker) -> None:
        """This one is gone."""

    def close(self) -> None:
        """End them all."""
