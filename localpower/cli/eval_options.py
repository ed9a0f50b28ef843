"""Options of eval alone: which methods, which problems, where answers go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from localpower.cli.options import (
    chain_options,
    other_options,
    seed_option,
    target_options,
    width_options,
    wording_options,
)
from localpower.cli.values import MOST_RUNS
from localpower.names import FORMS, GRADERS

PASSWORD = "LOCALPOWER_GPQA_PASSWORD"


def method_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The methods, and what they have in common."""
    for option in (
        click.option(
            "--pick",
            type=click.Choice(("random", "logp")),
            default="random",
            show_default=True,
            help="best-of-n: drawn by weight, or the likeliest.",
        ),
        *other_options(),
        *chain_options(),
        *target_options(max_tokens=None, timed=False),
        click.option(
            "--method",
            "methods",
            multiple=True,
            default=("base,low-temp,power",),
            show_default=True,
            metavar="NAME,NAME:SETTING=VALUE,...",
            help="Methods, each on the same problems; settings of its own after colons. best-of-n:matched draws as "
            "many tokens as power did.",
        ),
    ):
        command = option(command)
    return command


def running_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Which problems, how often, how they are put, graded and kept."""
    whole = click.IntRange(min=1)
    for option in (
        click.option(
            "--grader", type=click.Choice(GRADERS), default="value", show_default=True, help="Of mathematics."
        ),
        click.option("--gpqa-password", metavar="TEXT", help=f"Of the authors' archive; else {PASSWORD}."),
        click.option("--save-text", is_flag=True, help="Store questions and answers of gpqa in clear."),
        click.option("--no-stops", is_flag=True, help="Without the stops that tasks have of their own."),
        *wording_options(),
        click.option(
            "--prompt",
            "form",
            type=click.Choice(FORMS),
            default="chat",
            show_default=True,
            help="chat: through the model's template; paper: Karan & Du's texts; paper-chat: those in the template.",
        ),
        click.option(
            "--data",
            type=click.Path(path_type=Path),
            metavar="PATH",
            help="A task's file, or a folder of files.",
        ),
        click.option(
            "--out",
            type=click.Path(path_type=Path),
            metavar="DIR",
            help="Where answers go; the same command goes on.",
        ),
        *width_options(),
        click.option(
            "--parallel",
            type=click.IntRange(1, MOST_RUNS),
            help="Answers in one batch; else by the machine. Changes no result.",
        ),
        seed_option(),
        click.option(
            "--samples", type=whole, default=1, show_default=True, help="Independent answers to each problem."
        ),
        click.option(
            "--limit", type=whole, help="Problems of each task: the first by sha256 of the id. Else all."
        ),
    ):
        command = option(command)
    return command
