"""Verdicts anew on stored answers; nothing is generated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from localpower.evals.grade import Grader
from localpower.evals.making import graded
from localpower.evals.store import Row, Stored
from localpower.grading.sandbox import isolation


def regraded(
    stored: Stored, grader: Grader, text_of: Callable[[Row], str], check: Callable[[], None]
) -> Iterator[Row]:
    """Every row with its verdict by `grader`; programs that may not be run keep theirs. What `check` raises passes."""
    kinds = {name: task["kind"] for name, task in stored.settings["tasks"].items()}
    for row in stored.rows:
        check()
        yield regrade_row(row, kinds, stored.problems, grader, text_of)


def pending_code(rows: Iterable[Row], kinds: Mapping[str, str]) -> list[Row]:
    """Answers that are programs and have not been run."""
    return [row for row in rows if kinds.get(row["task"]) == "code" and row["verdict"] == "ungraded"]


def regrade_row(
    row: Row,
    kinds: Mapping[str, str],
    problems: Mapping[tuple[str, str], Mapping[str, Any]],
    grader: Grader,
    text_of: Callable[[Row], str],
) -> Row:
    """A row with its verdict by `grader`."""
    kind = kinds[row["task"]]
    if kind == "code" and not grader.run_code:
        return row
    gold = problems[row["task"], row["id"]]["gold"]
    fresh = row | graded(grader, kind, gold, text_of(row))
    return fresh | {"isolation": isolation()} if kind == "code" else fresh
