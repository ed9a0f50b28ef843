"""Verdicts on answers that are already written, row by row of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from localpower import jsonl
from localpower.grading.mathematics import math_grader
from localpower.grading.verdicts import NONE, Verdict, grade_code, grade_letter, grade_number

_FORM = '{"gold": ..., "answer": ...} or "completion"'
_CODE_FORM = '{"task": {...}, "completion": ...}, the task a row of HumanEval or MBPP'


def grade_file(
    file: Path, kind: str, grader: str, seconds: float, packages: Mapping[str, str] | None = None
) -> Iterator[Verdict]:
    """A verdict for each row, in order; programs are run, for at most so many seconds each, and may import `packages`.

    kind: math, gsm8k, gpqa or code. Raises UserError for a file that cannot be read, and for a row of another shape.
    """
    with math_grader(grader) as grade_math:
        graders = {"math": grade_math, "gsm8k": grade_number, "gpqa": grade_letter}
        form, shape = (_CODE_FORM, _program) if kind == "code" else (_FORM, _answer)
        for _, row in jsonl.read(file, shape, "row", hint=f"grade takes JSON lines of {form}"):
            field = "answer" if "answer" in row and kind != "code" else "completion"
            text = row[field]
            if not isinstance(text, str) or not text.strip():  # a program is never a number
                yield NONE
            elif kind == "code":
                yield grade_code(row["task"], text, seconds, packages)
            else:
                graded: Callable[..., Verdict] = graders[kind]
                yield graded(row["gold"], **{field: text})


def _answer(value: Any) -> dict[str, Any]:
    """The row, its numbers spelled as texts. A completion that is a number is the answer. Raises ValueError."""
    row = jsonl.record(value, {"gold": object})
    field = "answer" if "answer" in row else "completion"
    said, field = row[field], "answer" if isinstance(row[field], int | float) else field
    return {"gold": jsonl.text(row["gold"]), field: None if said is None else jsonl.text(said)}


def _program(value: Any) -> dict[str, Any]:
    row = jsonl.record(value, {"task": dict, "completion": object})
    mbpp = "test_list" in row["task"]
    fields = {"test_list": [str]} if mbpp else dict.fromkeys(("prompt", "entry_point", "test"), str)
    task = jsonl.record(row["task"], fields)
    before: dict[str, Any] = {
        name: task.get(name) or empty for name, empty in (("test_imports", []), ("test_setup_code", ""))
    }
    jsonl.record(before, {"test_imports": [str], "test_setup_code": str})
    return row
