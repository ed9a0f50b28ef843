"""`localpower grade`: verdicts on answers that are already written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from localpower import jsonl
from localpower.cli.options import program_options
from localpower.cli.sections import Command
from localpower.errors import EXIT_OK
from localpower.names import GRADERS

_FORM = '{"gold": ..., "answer": ...} or "completion"'
_CODE_FORM = '{"task": {...}, "completion": ...}, the task a row of HumanEval or MBPP'
_KINDS = ("math", "gsm8k", "gpqa", "code")


@click.command(cls=Command, short_help="Grade answers of your own.")
@click.option("--kind", type=click.Choice(_KINDS), required=True, help="The kind of the answers.")
@click.option(
    "--grader",
    type=click.Choice(GRADERS),
    default="value",
    show_default=True,
    help="How answers of kind math are graded: by value, as the paper does, or by math-verify (extra: [math]).",
)
@program_options
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--debug", is_flag=True, help="A problem is shown with its traceback.")
def grade(kind: str, grader: str, run_code: bool, seconds: float, file: Path, debug: bool) -> int:
    """Grade the rows of FILE, JSON lines of {"gold": ..., "answer": ...} or {"gold": ..., "completion": ...}.

    With --kind code a row is {"task": ..., "completion": ...}, where the task is a row of HumanEval or MBPP.

    One JSON line a row on stdout, in the same order: verdict is right, wrong or none (nothing that could be an answer),
    extracted is what was taken for the answer. Mathematics is read, never run.
    """
    from localpower.cli.terminal import say, write_answer
    from localpower.grading.mathematics import math_grader
    from localpower.grading.sandbox import isolation
    from localpower.grading.verdicts import NONE, Verdict, grade_code, grade_letter, grade_number

    if grader != "value" and kind != "math":
        raise click.UsageError(f"--grader {grader} is of --kind math")
    if kind == "code" and not run_code:
        raise click.UsageError(
            "--kind code runs programs that a model wrote: say --run-code if you want that"
        )
    if kind == "code":
        say(f"note: programs run in isolation of kind {isolation()}")

    def verdict(row: dict[str, Any]) -> Verdict:
        field = "answer" if "answer" in row else "completion"
        text = row.get(field)
        if not isinstance(text, str) or not text.strip():
            return NONE
        if kind == "code":
            return grade_code(row["task"], text, seconds)
        return graders[kind](str(row["gold"]), **{field: text})

    with math_grader(grader) as grade_math:
        graders = {"math": grade_math, "gsm8k": grade_number, "gpqa": grade_letter}
        form, shape = (_CODE_FORM, _program) if kind == "code" else (_FORM, _answer)
        for _, row in jsonl.read(file, shape, "row", hint=f"grade takes JSON lines of {form}"):
            found = verdict(row)
            write_answer(json.dumps({"verdict": found.verdict, "extracted": found.extracted}))
    return EXIT_OK


def _answer(value: Any) -> dict[str, Any]:
    row = jsonl.record(value, {"gold": str | int | float})
    if not {"answer", "completion"} & row.keys():
        raise ValueError
    return row


def _program(value: Any) -> dict[str, Any]:
    row = jsonl.record(value, {"task": dict, "completion": object})
    mbpp = "test_list" in row["task"]
    fields = {"test_list": [str]} if mbpp else dict.fromkeys(("prompt", "entry_point", "test"), str)
    task = jsonl.record(row["task"], fields)
    jsonl.record({"test_imports": task.get("test_imports") or []}, {"test_imports": [str]})
    return row
