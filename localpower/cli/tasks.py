"""`localpower tasks`: which tasks eval has, where their files are published, and what one costs here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from localpower.cli import completion
from localpower.cli.options import WHOLE, flag, methods_option, path_option
from localpower.cli.sections import Group
from localpower.cli.terminal import write_answer

if TYPE_CHECKING:
    from localpower.api.tasks import TaskInfo

_GENERATED = ", generated"

_DATA = path_option(
    "--data", metavar="PATH", help="The file of the task, or a folder of files.  [default: LOCALPOWER_DATA]"
)


@click.group("tasks", cls=Group, short_help="List the tasks of eval, and what each costs.")
def tasks() -> None:
    """List the tasks of eval, say where the file of one is published, and what an eval of it costs here."""


@tasks.command("list", short_help="List the tasks.")
@_DATA
@flag("--json", "as_json", help="One JSON object for each task is printed.")
def list_(data: Path | None, as_json: bool) -> None:
    """List the tasks: how many problems each has, its longest answer in tokens, and whether its file is here."""
    from localpower.api.tasks import list_tasks

    found = list_tasks(data)
    rows = (json.dumps(each.to_dict()) for each in found) if as_json else lines(found)
    write_answer("\n".join(rows))


@tasks.command("show", short_help="Describe a task and what it costs.")
@click.argument("name", shell_complete=completion.tasks)
@_DATA
@click.option(
    "-m", "--model", shell_complete=completion.models, help="The model whose measured speed counts."
)
@methods_option("NAME,...", "The methods of the eval.")
@click.option("--limit", type=WHOLE, help="Number of problems of the eval.  [default: all]")
@flag("--json", "as_json", help="One JSON object is printed.")
def show(name: str, as_json: bool, limit: int | None, **options: Any) -> None:
    """Describe the task NAME, or the task file NAME: its file, prompts, licence, and what an eval of it costs.

    The tokens are those of answers as long as they may be, and the seconds an estimate: one answer at a time, at the
    speed that was measured when the model was checked on this machine. `localpower eval` estimates by a few answers
    before it begins.
    """
    from localpower.api.tasks import describe_task

    found = describe_task(name, options["data"], options["methods"], options["model"], limit)
    write_answer(json.dumps(found.to_dict()) if as_json else "\n".join(page(found, limit)))


def lines(tasks: Sequence[TaskInfo]) -> Iterator[str]:
    """A table that fits 80 columns."""
    yield f"{'task':<15}{'problems':>8}  {'tokens':>6}  {'file':<10}about"
    for task in tasks:
        own = "generated" if _GENERATED in task.about else "package"
        file = own if not task.files else "here" if task.here else "missing"
        problems = "" if task.problems is None else f"{task.problems:,}"
        yield f"{task.name:<15}{problems:>8}  {task.max_tokens:>6,}  {file:<10}{task.about.removesuffix(_GENERATED)}"
    yield ""
    yield "tokens: of the longest answer, unless --max-tokens says another number."
    yield "`localpower tasks show NAME` says where a missing file is published and what an eval costs."


def page(task: TaskInfo, limit: int | None) -> Iterator[str]:
    """All that is known of one."""
    from localpower.ui.eval_progress import spell_seconds

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


def _problems(task: TaskInfo) -> str:
    if task.problems is None:
        return "as many as its file has"
    other = task.published is not None and task.published != task.problems
    return f"{task.problems:,}" + (f"; the authors publish {task.published:,}" if other else "")


def _own(task: TaskInfo) -> str:
    return (
        "none: its problems are generated" if _GENERATED in task.about else "none: they come with a package"
    )
