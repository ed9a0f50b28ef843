"""`localpower grade`: verdicts on answers that are already written."""

from __future__ import annotations

import json
from pathlib import Path

import click

from localpower.cli.options import program_options
from localpower.cli.sections import Command
from localpower.names import GRADERS

_KINDS = ("math", "gsm8k", "gpqa", "code")


@click.command(cls=Command, short_help="Grade answers of your own.")
@click.option("--kind", type=click.Choice(_KINDS), required=True, help="The kind of the answers.")
@click.option(
    "--grader",
    type=click.Choice(GRADERS),
    default="value",
    help="How answers of kind math are graded: by value, as the paper does, or by math-verify (extra: [math]).",
)
@program_options
@click.argument("file", type=click.Path(path_type=Path))
def grade(
    kind: str, grader: str, run_code: bool, packages: tuple[str, ...], seconds: float, file: Path
) -> None:
    """Grade the rows of FILE, JSON lines of {"gold": ..., "answer": ...} or {"gold": ..., "completion": ...}.

    With --kind code a row is {"task": ..., "completion": ...}, where the task is a row of HumanEval or MBPP.

    One JSON line a row on stdout, in the same order: verdict is right, wrong or none (nothing that could be an answer),
    extracted is what was taken for the answer. Mathematics is read, never run.
    """
    from localpower.api.grade import grade_file
    from localpower.api.programs import allowed, isolation
    from localpower.cli.terminal import say, write_answer

    if grader != "value" and kind != "math":
        raise click.UsageError(f"--grader {grader} is of --kind math")
    if kind == "code" and not run_code:
        raise click.UsageError(
            "--kind code runs programs that a model wrote: say --run-code if you want that"
        )
    if kind == "code":
        say(f"note: programs run in isolation of kind {isolation()}")
    for found in grade_file(file, kind, grader, seconds, allowed(packages, run_code)):
        write_answer(json.dumps({"verdict": found.verdict, "extracted": found.extracted}))
