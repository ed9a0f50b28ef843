"""Options of eval alone: which methods, which problems, where answers go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from localpower.cli import completion
from localpower.cli.options import (
    preset_option,
    seed_option,
    steps_option,
    target_options,
    thinking_options,
    wording_options,
)
from localpower.cli.sections import renamed
from localpower.cli.tool_options import trace_options
from localpower.names import FORMS, GRADERS
from localpower.readers import MOST_RUNS

PASSWORD = "LOCALPOWER_GPQA_PASSWORD"


def method_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The methods, and what they have in common."""
    for option in (
        click.option(
            "--pick",
            type=click.Choice(("random", "logp")),
            default="random",
            show_default=True,
            help="How best-of-n chooses: one is drawn by its weight, or the likeliest is taken.",
        ),
        steps_option(),
        *target_options(max_tokens=None, timed=False),
        click.option(
            "--method",
            "methods",
            multiple=True,
            default=("base,low-temp,power",),
            show_default=True,
            metavar="NAME,NAME:SETTING=VALUE,...",
            shell_complete=completion.methods,
            help="Methods, each on the same problems; the settings of a method follow its name after colons. "
            "best-of-n:matched draws as many tokens as power did.",
        ),
        preset_option(),
    ):
        command = option(command)
    return command


def _of_text(read: Callable[[str], Any]) -> Callable[..., Any]:
    """A callback that reads an option's text."""
    return lambda _ctx, _param, text: None if text is None else read(text)


def _shard(text: str) -> Any:
    from localpower.api.cluster.spec import Shard

    return Shard.read(text)


def _workers(text: str) -> Any:
    from localpower.api.cluster.spec import WorkersSpec

    return WorkersSpec.read(text)


def machines_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Who makes the answers."""
    for option in (
        click.option(
            "--dry-run",
            is_flag=True,
            help="No answer is kept: a few draws say how many answers and tokens there are to make, and the hours.",
        ),
        click.option(
            "--copy-model",
            is_flag=True,
            help="The model's file is copied from shared storage to each machine's own disk, once, and its sha256 is "
            "checked.",
        ),
        click.option(
            "--workers",
            callback=_of_text(_workers),
            metavar="KIND:WHERE",
            help="Who makes the answers: local:K (processes of this machine), slurm:PARTITION[,jobs=4,gpus=1,...], or "
            "ray[:ADDRESS][,gpus=1,...].  [default: this process]",
        ),
        click.option(
            "--shard",
            callback=_of_text(_shard),
            metavar="I/N",
            help="Only the I-th of N parts of the problems, into a folder in DIR/parts. compare reads all parts.",
        ),
    ):
        command = option(command)
    return command


def running_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Which problems, how often, how they are put, graded and kept."""
    whole = click.IntRange(min=1)
    options: tuple[Callable[..., Any], ...] = (
        click.option(
            "--grader",
            type=click.Choice(GRADERS),
            default="value",
            show_default=True,
            help="The grader of mathematics.",
        ),
        click.option(
            "--gpqa-password", metavar="TEXT", help=f"The password of GPQA's archive.  [default: {PASSWORD}]"
        ),
        click.option(
            "--cross-score",
            is_flag=True,
            help="At the end every model reads the answers of the others, one model in memory at a time: for "
            "localpower compare --sharpening.",
        ),
        click.option("--save-text", is_flag=True, help="Questions and answers of gpqa are stored in clear."),
        click.option("--no-stops", is_flag=True, help="The stops that tasks have of their own are left out."),
        *trace_options(own=False),
        *thinking_options(),
        *wording_options(),
        click.option(
            "--prompt-style",
            "form",
            type=click.Choice(FORMS),
            default="chat",
            show_default=True,
            help="How a problem is put: through the model's template (chat), as the benchmark's authors put it "
            "(authors), by Karan & Du's texts (paper), or by those in the template (paper-chat).",
        ),
        renamed("--prompt", "--prompt-style"),
        click.option(
            "--answer-prefix",
            metavar="TEXT",
            help="Every answer begins with TEXT: it is given and graded, not drawn and not in log p; a line break is "
            "$'\\n' in most shells.",
        ),
        click.option(
            "--data",
            type=click.Path(path_type=Path),
            metavar="PATH",
            help="The file of a task, a folder of files, or of a dataset as hubs keep it.  [default: LOCALPOWER_DATA]",
        ),
        *(
            click.option(
                f"--{name}",
                default="",
                metavar="DATE",
                help=f"The {which} date of the problems, of tasks that have dates: 2024, 2024-08 or 2024-08-31.",
            )
            for name, which in (("until", "last"), ("since", "first"))
        ),
        click.option(
            "--out",
            type=click.Path(path_type=Path),
            metavar="DIR",
            help="The folder for the answers; the same command goes on there.  [default: runs/TASK-DATE]",
        ),
        click.option(
            "--parallel",
            type=click.IntRange(1, MOST_RUNS),
            help="Number of answers in one batch; it changes no result.  [default: what suits the machine]",
        ),
        seed_option(),
        click.option(
            "--samples",
            type=whole,
            default=1,
            show_default=True,
            help="Number of independent answers to each problem.",
        ),
        click.option(
            "--limit",
            type=whole,
            help="Number of problems of each task, the first ones by sha256 of their id.  [default: all]",
        ),
    )
    for option in options:
        command = option(command)
    return command
