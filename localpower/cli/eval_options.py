"""Options of eval alone: which methods, which problems, where answers go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from localpower.cli.options import (
    WHOLE,
    chance_option,
    flag,
    methods_option,
    password_option,
    path_option,
    pick_option,
    preset_option,
    target_options,
    together,
    wording_options,
)
from localpower.cli.refused import renamed
from localpower.cli.tool_options import trace_options
from localpower.names import FORMS, GRADERS
from localpower.readers import MOST_RUNS

method_options = together(
    preset_option,
    methods_option(
        "NAME,NAME:SETTING=VALUE,...",
        "Methods, each on the same problems; the settings of a method follow its name after colons. "
        "best-of-n:matched draws as many tokens as power did.",
    ),
    target_options(max_tokens=None, timed=False),
    pick_option(
        *("random", "logp"),
        help="How best-of-n chooses: one is drawn by its weight, or the likeliest is taken.",
    ),
)


def _of_text(read: Callable[[str], Any]) -> Callable[..., Any]:
    """A callback that reads an option's text."""
    return lambda _ctx, _param, text: None if text is None else read(text)


def _shard(text: str) -> Any:
    from localpower.api.cluster.spec import Shard

    return Shard.read(text)


def _workers(text: str) -> Any:
    from localpower.api.cluster.spec import WorkersSpec

    return WorkersSpec.read(text)


machines_options = together(  # who makes the answers
    click.option(
        "--shard",
        callback=_of_text(_shard),
        metavar="I/N",
        help="Only the I-th of N parts of the problems, into a folder in DIR/parts. compare reads all parts.",
    ),
    click.option(
        "--workers",
        callback=_of_text(_workers),
        metavar="KIND:WHERE",
        help="Who makes the answers: local:K (processes of this machine), slurm:PARTITION[,jobs=4,gpus=1,...], or "
        "ray[:ADDRESS][,gpus=1,...].  [default: this process]",
    ),
    flag(
        "--copy-model",
        help="The model's file is copied from shared storage to each machine's own disk, once, and its sha256 is "
        "checked.",
    ),
    flag(
        "--dry-run",
        help="No answer is kept: a few draws say how many answers and tokens there are to make, and the hours.",
    ),
)


def _date_option(name: str, which: str) -> Callable[..., Any]:
    words = f"The {which} date of the problems, of tasks that have dates: 2024, 2024-08 or 2024-08-31."
    return click.option(name, default="", show_default=False, metavar="DATE", help=words)


running_options = together(  # which problems, how often, how they are put, graded and kept
    click.option(
        "--limit",
        type=WHOLE,
        help="Number of problems of each task, the first ones by sha256 of their id.  [default: all]",
    ),
    click.option("--samples", type=WHOLE, default=1, help="Number of independent answers to each problem."),
    chance_option,
    click.option(
        "--parallel",
        type=click.IntRange(1, MOST_RUNS),
        help="Number of answers in one batch; it changes no result.  [default: what suits the machine]",
    ),
    path_option(
        "--out",
        metavar="DIR",
        help="The folder for the answers; the same command goes on there.  [default: runs/TASK-DATE]",
    ),
    _date_option("--since", "first"),
    _date_option("--until", "last"),
    path_option(
        "--data",
        metavar="PATH",
        help="The file of a task, a folder of files, or of a dataset as hubs keep it.  [default: LOCALPOWER_DATA]",
    ),
    click.option(
        "--answer-prefix",
        metavar="TEXT",
        help="Every answer begins with TEXT: it is given and graded, not drawn and not in log p; a line break is "
        "$'\\n' in most shells.",
    ),
    renamed("--prompt", "--prompt-style"),
    click.option(
        "--prompt-style",
        "form",
        type=click.Choice(FORMS),
        default="chat",
        help="How a problem is put: through the model's template (chat), as the benchmark's authors put it "
        "(authors), by Karan & Du's texts (paper), or by those in the template (paper-chat).",
    ),
    wording_options,
    trace_options(own=False),
    flag("--no-stops", help="The stops that tasks have of their own are left out."),
    flag("--save-text", help="Questions and answers of gpqa are stored in clear."),
    flag(
        "--cross-score",
        help="At the end every model reads the answers of the others, one model in memory at a time: for "
        "localpower compare --sharpening.",
    ),
    password_option,
    click.option("--grader", type=click.Choice(GRADERS), default="value", help="The grader of mathematics."),
)
