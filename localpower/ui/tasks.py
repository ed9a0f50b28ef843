"""The tasks of eval as a table that fits 80 columns, and the page of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from localpower.ui.eval_progress import spell_seconds

_GENERATED = ", generated"


class Cost(Protocol):
    """What all problems cost by one method."""

    @property
    def method(self) -> str:
        """As --method takes it."""

    @property
    def multiple(self) -> float:
        """Tokens drawn over those of the answer."""

    @property
    def tokens(self) -> int:
        """Drawn, at most."""

    @property
    def seconds(self) -> float | None:
        """At the measured speed; None: there is none."""


class Info(Protocol):
    """What is shown of a task."""

    @property
    def name(self) -> str:
        """For eval."""

    @property
    def about(self) -> str:
        """A few words."""

    @property
    def graded(self) -> str:
        """What its grader looks at."""

    @property
    def problems(self) -> int | None:
        """None: as many as its file has."""

    @property
    def published(self) -> int | None:
        """How many problems the authors publish."""

    @property
    def max_tokens(self) -> int:
        """Of the longest answer."""

    @property
    def styles(self) -> tuple[str, ...]:
        """Of prompts."""

    @property
    def licence(self) -> str:
        """Empty: not stated."""

    @property
    def noise(self) -> str:
        """What is known to be wrong with its labels."""

    @property
    def files(self) -> tuple[str, ...]:
        """What its file may be called."""

    @property
    def where(self) -> str:
        """Who publishes it."""

    @property
    def found(self) -> str | None:
        """Its file."""

    @property
    def trouble(self) -> str:
        """Why it cannot be used."""

    @property
    def here(self) -> bool:
        """Whether an eval can begin."""

    @property
    def tools(self) -> str:
        """That the model may call; "": none."""

    @property
    def package(self) -> str:
        """That brings the task, instead of a file; "": none."""

    @property
    def costs(self) -> Sequence[Cost]:
        """By method."""


def lines(tasks: Sequence[Info]) -> Iterator[str]:
    """A line for each task."""
    yield f"{'task':<15}{'problems':>8}  {'tokens':>6}  {'file':<10}about"
    for task in tasks:
        own = "generated" if _GENERATED in task.about else "package"
        file = own if not task.files else "here" if task.here else "missing"
        problems = "" if task.problems is None else f"{task.problems:,}"
        yield f"{task.name:<15}{problems:>8}  {task.max_tokens:>6,}  {file:<10}{task.about.removesuffix(_GENERATED)}"
    yield ""
    yield "tokens: of the longest answer, unless --max-tokens says another number."
    yield "`localpower tasks show NAME` says where a missing file is published and what an eval costs."


def page(task: Info, limit: int | None) -> Iterator[str]:
    """All that is known of one."""
    yield f"{task.name}: {task.about}"
    for head, text in (
        ("problems", _problems(task)),
        ("graded", task.graded),
        ("tools", task.tools),
        ("longest answer", f"{task.max_tokens:,} tokens"),
        ("prompt styles", ", ".join(task.styles)),
        ("licence", task.licence or "not stated"),
        ("known noise", task.noise or "none is noted here"),
        ("file", task.found or ("not here" if task.files else _own(task))),
        ("trouble", task.trouble),
    ):
        if text:
            yield f"  {head:<16}{text}"
    if task.files and not task.found:
        yield f"  {'it is called':<16}{', '.join(task.files)}"
        yield f"  {'published at':<16}{task.where}"
    if task.files and not task.found and not task.package:
        yield "Download it and give its path with --data, or put it into the folder that LOCALPOWER_DATA names."
    if task.costs:
        n = task.problems or 0
        yield f"An eval of {min(n, limit or n):,} problems, if every answer is as long as it may be (an estimate):"
        for cost in task.costs:
            seconds = "" if cost.seconds is None else f"  {spell_seconds(cost.seconds):>10}"
            yield f"  {cost.method:<28}{cost.multiple:>6.1f} x {cost.tokens:>15,} tokens{seconds}"
        if task.costs[0].seconds is None:
            yield "No speed is stored for the model: `localpower run` measures it at first use."
        else:
            yield "Seconds: one answer at a time; several in one batch are quicker."


def _problems(task: Info) -> str:
    if task.problems is None:
        return "as many as its file has"
    other = task.published is not None and task.published != task.problems
    return f"{task.problems:,}" + (f"; the authors publish {task.published:,}" if other else "")


def _own(task: Info) -> str:
    return (
        "none: its problems are generated" if _GENERATED in task.about else "none: they come with a package"
    )
