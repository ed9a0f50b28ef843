"""`localpower tasks`: which tasks eval has, where their files are published, and what one costs here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from localpower.cli import completion
from localpower.cli.options import flag, path_option
from localpower.cli.sections import Group
from localpower.errors import EXIT_OK

_DATA = path_option(
    "--data", metavar="PATH", help="The file of the task, or a folder of files.  [default: LOCALPOWER_DATA]"
)


@click.group("tasks", cls=Group, short_help="List the tasks of eval, and what each costs.")
def tasks() -> None:
    """List the tasks of eval, say where the file of one is published, and what an eval of it costs here."""


@tasks.command("list", short_help="List the tasks.")
@_DATA
@flag("--json", "as_json", help="One JSON object for each task is printed.")
def list_(data: Path | None, as_json: bool) -> int:
    """List the tasks: how many problems each has, its longest answer in tokens, and whether its file is here."""
    from localpower.api.tasks import list_tasks
    from localpower.cli.terminal import write_answer
    from localpower.ui.tasks import lines

    found = list_tasks(data)
    if as_json:
        write_answer("\n".join(json.dumps(each.to_dict()) for each in found))
        return EXIT_OK
    write_answer("\n".join(lines(found)))
    return EXIT_OK


@tasks.command("show", short_help="Describe a task and what it costs.")
@click.argument("name", shell_complete=completion.tasks)
@_DATA
@click.option(
    "-m", "--model", shell_complete=completion.models, help="The model whose measured speed counts."
)
@click.option(
    "--method",
    "methods",
    multiple=True,
    default=("base,low-temp,power",),
    metavar="NAME,...",
    shell_complete=completion.methods,
    help="The methods of the eval.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Number of problems of the eval.  [default: all]")
@flag("--json", "as_json", help="One JSON object is printed.")
def show(name: str, as_json: bool, limit: int | None, **options: Any) -> int:
    """Describe the task NAME, or the task file NAME: its file, prompts, licence, and what an eval of it costs.

    The tokens are those of answers as long as they may be, and the seconds an estimate: one answer at a time, at the
    speed that was measured when the model was checked on this machine. `localpower eval` estimates by a few answers
    before it begins.
    """
    from localpower.api.tasks import describe_task
    from localpower.cli.terminal import write_answer
    from localpower.ui.tasks import page

    found = describe_task(name, options["data"], options["methods"], options["model"], limit)
    if as_json:
        write_answer(json.dumps(found.to_dict()))
        return EXIT_OK
    write_answer("\n".join(page(found, limit)))
    return EXIT_OK
