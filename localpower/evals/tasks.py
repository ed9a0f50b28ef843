"""The tasks by name: ours, and those of packages that have an entry point in the group `localpower.tasks`."""

from __future__ import annotations

from functools import cache
from importlib import metadata
from itertools import chain
from pathlib import Path

from localpower.errors import UserError
from localpower.evals import (
    arc,
    bbh,
    bfcl,
    countdown,
    evalplus,
    forms,
    gpqa,
    ifeval,
    laboratory,
    livecodebench,
    loaders,
    mmlu_pro,
    olympiad,
    taskfile,
    tiny,
    tooltasks,
)
from localpower.evals.task import Task
from localpower.lab.problems import FAMILIES
from localpower.tools.calculator import Calculator

_LONGEST_LAB = 44  # characters of an answer; the corpus has 41
_ALL: tuple[Task, ...] = (
    Task(
        *("tiny", "short", tiny.problems, forms.TINY, 32, "small facts and arithmetic, generated"),
        licence="MIT",
        size=307,
    ),
    Task(
        *("countdown", "countdown", countdown.problems, forms.COUNTDOWN, 48),
        "expressions for a target, generated",
        licence="MIT",
        size=210,
    ),
    *(
        Task(
            *(f"lab-{name}", "lab", laboratory.problems(name), forms.BARE, _LONGEST_LAB),
            "for the lab models, generated",
            licence="MIT",
            size={"countdown": 169}.get(name, 200),
        )
        for name in FAMILIES
    ),
    Task(
        *("lab-product", "lab", tooltasks.products, forms.BARE, _LONGEST_LAB),
        "for lab-tools, with a calculator, generated",
        licence="MIT",
        size=200,
        environment=lambda _: tooltasks.LabCalculator(),
        tools="calculator",
        tool_format="inline",
        max_turns=4,
        observation_tokens=20,
    ),
    Task(
        *("calc-word", "number", tooltasks.calc_word, tooltasks.CALC_WORD, 128),
        "word problems with a calculator, generated",
        licence="MIT",
        size=180,
        environment=lambda _: Calculator(),
        tools="calculator",
    ),
    Task(
        *("notes-sum", "number", tooltasks.notes_sum, tooltasks.NOTES_SUM, 192),
        "numbers in notes are added and noted, generated",
        licence="MIT",
        size=60,
        environment=tooltasks.notes_of,
        tools="notes and calculator",
    ),
    Task(
        *("bfcl", "state", bfcl.problems, bfcl.FORMS, 512),
        "function calls, from the package bfcl-eval",
        licence="Apache-2.0",
        size=200,
        environment=bfcl.environment_of,
        tools="the classes of bfcl-eval",
        package="bfcl-eval mpmath",
        max_turns=24,
    ),
    Task(
        *("math500", "math", loaders.math500, forms.MATH, 1024, "500 problems of MATH"),
        licence="MIT",
        needs=loaders.MATH500,
        size=500,
        noise="The licence of the whole of MATH is disputed since January 2025. A few answers are right in two forms.",
    ),
    Task(
        *("humaneval", "code", loaders.humaneval, forms.HUMANEVAL, 512, "164 Python functions"),
        licence="MIT",
        needs=loaders.HUMANEVAL,
        size=164,
        noise="Tests of 32, 38, 41, 47, 50, 57, 64, 67, 75, 83, 116 and others are wrong or too weak.",
    ),
    Task(
        *("gpqa", "letter", gpqa.problems, forms.GPQA, 1024, "198 questions, diamond"),
        secret=True,
        licence="CC-BY-4.0",
        needs=gpqa.NEEDS,
        size=198,
        noise="Its authors ask that no question be shown: answers and questions are not stored.",
    ),
    Task(
        *("alpaca", "open", loaders.alpaca, forms.OPEN, 512, "open instructions, for a judge"),
        licence="CC-BY-NC-4.0",
        needs=loaders.ALPACA,
        size=805,
        noise="There are no right answers: a judge compares two.",
    ),
    Task(
        *("gsm8k", "number", loaders.gsm8k, forms.NUMBER, 320, "1,319 word problems"),
        licence="MIT",
        needs=loaders.GSM8K,
        size=1319,
        noise="About a tenth is ambiguous or wrong (GSM8K-Platinum keeps 1,209 of 1,319).",
    ),
    Task(
        *("svamp", "number", loaders.svamp, forms.NUMBER, 128, "1,000 one-step word problems"),
        licence="MIT",
        needs=loaders.SVAMP,
        size=1000,
    ),
    Task(
        *("mbpp", "code", loaders.mbpp, forms.MBPP, 384, "Python programs, the test split"),
        licence="CC-BY-4.0",
        needs=loaders.MBPP,
        size=257,
        noise="Three tests a program are weak; mbpp-plus has more.",
    ),
    Task(
        *("aime", "number", loaders.aime, forms.AIME, 2048, "competition problems with whole answers"),
        needs=loaders.AIME,
        noise="None is known. Older years are in the training data of most models: --since YEAR takes newer ones.",
    ),
    mmlu_pro.TASK,
    *evalplus.TASKS,
    livecodebench.TASK,
    *olympiad.TASKS,
    bbh.TASK,
    ifeval.TASK,
    arc.TASK,
)
TASKS = {task.name: task for task in _ALL}
_GROUP = "localpower.tasks"  # of entry points: packages bring tasks of their own
_GROUPS = {"lab": tuple(f"lab-{name}" for name in FAMILIES)}


@cache
def _entries() -> dict[str, metadata.EntryPoint]:
    return {entry.name: entry for entry in metadata.entry_points(group=_GROUP) if entry.name not in TASKS}


def _of_package(name: str) -> Task:
    """The task that another package brings. Raises UserError when it cannot be loaded."""
    try:
        task = _entries()[name].load()
    except Exception as error:
        raise UserError(f"the package of task {name} cannot be loaded: {error}") from error
    if not isinstance(task, Task) or task.name != name:
        raise UserError(f"the package of task {name} gives {task!r}, no localpower.Task of that name")
    return task


def known(name: str) -> Task | None:
    """The task of a name, ours or a package's; None for one that came from a task file. Raises UserError."""
    return TASKS.get(name) or (_of_package(name) if name in _entries() else None)


def find_tasks(names: tuple[str, ...]) -> list[Task]:
    """The tasks that were named, each once: by name, by group, or a task file. Raises UserError for another name."""
    found: dict[str, Task] = {}
    for name in chain.from_iterable(_GROUPS.get(name, (name,)) for name in names):
        if (named := known(name)) is not None:
            found[name] = named
        elif name.lower().endswith(".toml"):
            task = taskfile.read(Path(name))
            if task.name in TASKS or found.get(task.name, task) is not task:
                taken = f"{name} calls its task {task.name}, which another one is called"
                raise UserError(taken, "choose another name")
            found[task.name] = task
        else:
            raise UserError(
                f"there is no task {name}",
                f"tasks: {', '.join([*TASKS, *_GROUPS, *_entries()])}, or a task file FILE.toml",
            )
    return list(found.values())
