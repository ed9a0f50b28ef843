"""`localpower grade`: verdicts on answers that are already written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from localpower.errors import EXIT_OK, UserError

_KINDS = ("math", "gsm8k", "gpqa")


@click.command()
@click.option("--kind", type=click.Choice(_KINDS), required=True, help="What the answers are.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def grade(kind: str, file: Path, debug: bool) -> int:
    """Grade the rows of FILE, JSON lines of {"gold": ..., "answer": ...} or {"gold": ..., "completion": ...}.

    One JSON line a row on stdout, in the same order: verdict is right, wrong or none (nothing that could be an answer),
    extracted is what was taken for the answer. By value, never by running anything.
    """
    from localpower.cli.terminal import write_answer
    from localpower.grading.verdicts import NONE, Verdict, grade_letter, grade_math, grade_number

    graders = {"math": grade_math, "gsm8k": grade_number, "gpqa": grade_letter}

    def verdict(row: dict[str, Any]) -> Verdict:
        field = "answer" if "answer" in row else "completion"
        text = row.get(field)
        if not isinstance(text, str) or not text.strip():
            return NONE
        return graders[kind](str(row["gold"]), **{field: text})

    for row in _rows(file):
        found = verdict(row)
        write_answer(json.dumps({"verdict": found.verdict, "extracted": found.extracted}))
    return EXIT_OK


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    """Raises UserError for a file that cannot be read, and for a line that is no row."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise UserError(f"cannot read {file}: {reason}", "grade takes JSON lines") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict) or row.get("gold") is None or not {"answer", "completion"} & row.keys():
            raise UserError(
                f"line {number} of {file} is no row", 'expected {"gold": ..., "answer": ...} or "completion"'
            )
        yield row
