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

from localpower.cli.eval_options import PASSWORD, method_options, running_options
from localpower.cli.options import engines_options, program_options, quiet_option, refused_options
from localpower.cli.sections import Command


@click.command("eval", cls=Command, short_help="Ask a model the same problems by several methods.")
@click.argument("tasks", nargs=-1, required=True, metavar="TASK...")
@method_options
@running_options
@program_options
@engines_options
@quiet_option
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
    from localpower.cli.evaluating import EvalRequest, start
    from localpower.cli.methods import parse_methods
    from localpower.cli.planning import SamplingOptions

    given = {field.name: options[field.name] for field in fields(SamplingOptions) if field.name in options}
    common = SamplingOptions(**{name: value for name, value in given.items() if name != "max_tokens"})
    labels = parse_methods(methods, common)
    said = {name for name in options if ctx.get_parameter_source(name) == ParameterSource.COMMANDLINE}
    name = f"{'-'.join(Path(task).stem for task in tasks)}-{datetime.datetime.now():%Y%m%d-%H%M%S}"
    out = options.pop("out") or Path("runs") / name
    password = options.pop("gpqa_password") or os.environ.get(PASSWORD)
    return start(
        EvalRequest(tasks, labels, out, options.pop("seed"), secrets.randbits(32), password, said, options)
    )
