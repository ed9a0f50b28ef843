"""`localpower eval`: several methods on the same problems, answer by answer, to be gone on with."""

from __future__ import annotations

import datetime
import os
import secrets
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from localpower.cli.options import (
    chain_options,
    engines_options,
    other_options,
    refused_options,
    target_options,
    width_options,
)
from localpower.names import FORMS, GRADERS

_PASSWORD = "LOCALPOWER_GPQA_PASSWORD"


def _options(command: Any) -> Any:
    whole = click.IntRange(min=1)
    for option in (
        click.option(
            "--seconds",
            type=click.FloatRange(0.1, 600),
            default=10.0,
            show_default=True,
            help="Of each program.",
        ),
        click.option(
            "--run-code",
            is_flag=True,
            help="Run programs of answers, after all are made; fenced in, not imprisoned.",
        ),
        click.option(
            "--grader", type=click.Choice(GRADERS), default="value", show_default=True, help="Of mathematics."
        ),
        click.option("--gpqa-password", metavar="TEXT", help=f"Of the authors' archive; else {_PASSWORD}."),
        click.option("--save-text", is_flag=True, help="Store questions and answers of gpqa in clear."),
        click.option("--no-stops", is_flag=True, help="Only the model's own end ends an answer."),
        click.option(
            "--stop", "stops", multiple=True, help="A text that ends an answer, beside the task's own."
        ),
        click.option(
            "--template-arg",
            "template_args",
            multiple=True,
            metavar="NAME=VALUE",
            help="For the chat template.",
        ),
        click.option("--raw", is_flag=True, help="Send texts as they are, without the chat template."),
        click.option("--system", help="The system message."),
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
        click.option(
            "--pick",
            type=click.Choice(("random", "logp")),
            default="random",
            show_default=True,
            help="best-of-n: drawn by weight, or the likeliest.",
        ),
        *width_options(),
        click.option(
            "--parallel",
            type=click.IntRange(1, 61),
            help="Answers in one batch; else by the machine. Changes no result.",
        ),
        click.option(
            "--seed", type=click.IntRange(min=0, max=2**64 - 1), help="Drawn and printed if not given."
        ),
        click.option(
            "--samples", type=whole, default=1, show_default=True, help="Independent answers to each problem."
        ),
        click.option(
            "--limit", type=whole, help="Problems of each task: the first by sha256 of the id. Else all."
        ),
        *other_options(),
        *chain_options(),
        *target_options(max_tokens=None),
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


@click.command("eval")
@click.argument("tasks", nargs=-1, required=True, metavar="TASK...")
@_options
@engines_options
@refused_options
@click.pass_context
def evaluate(ctx: click.Context, /, tasks: tuple[str, ...], methods: tuple[str, ...], **options: Any) -> int:
    """Ask a model the problems of TASKs by several methods, and say who was right.

    tiny, countdown and the laboratory's lab (lab-sum, lab-countdown, lab-chain) are made on the spot. math500,
    humaneval, gpqa, alpaca, gsm8k, svamp, mbpp and aime read their authors' files from --data, or from LOCALPOWER_DATA.
    FILE.toml describes a task of your own.

    Every answer is one JSON line in DIR/answers.jsonl, written at once. Ctrl-C loses the answers that are being made;
    the same command goes on. -m may be given several times. The table is printed at the end, and by localpower compare.
    """
    from localpower.cli.evaluating import Wanted, start
    from localpower.cli.methods import parse_methods
    from localpower.cli.planning import Wishes

    given = {field.name: options[field.name] for field in fields(Wishes) if field.name in options}
    common = Wishes(**{name: value for name, value in given.items() if name != "max_tokens"})
    named = {parameter.name or "": parameter for parameter in ctx.command.params}
    labels = parse_methods(methods, common, named)
    said = {name for name in options if ctx.get_parameter_source(name) == ParameterSource.COMMANDLINE}
    name = f"{'-'.join(Path(task).stem for task in tasks)}-{datetime.datetime.now():%Y%m%d-%H%M%S}"
    out = options.pop("out") or Path("runs") / name
    password = options.pop("gpqa_password") or os.environ.get(_PASSWORD)
    return start(
        Wanted(tasks, labels, out, options.pop("seed"), secrets.randbits(32), password, said, options)
    )
