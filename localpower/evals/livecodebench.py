"""LiveCodeBench (Jain et al. 2024, arXiv 2403.07974): contest problems with dates, by stdin or by a function.

Its files have up to a gigabyte, nearly all of it private test cases: they are read line by line, and the cases stay
packed until a program is run on them.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from localpower import inputs, jsonl
from localpower.errors import UserError
from localpower.evals.dates import between, none_between
from localpower.evals.forms import AUTHORS, Form, Forms
from localpower.evals.problem import Problem
from localpower.evals.rows import Row
from localpower.evals.sources import Needs, Source, as_text, find_all, numbered, own_id, read_rows
from localpower.evals.task import Task
from localpower.evals.unpacking import plain_name, reading, stream
from localpower.grading.packed_cases import unpacked

NEEDS = Needs(
    (
        *("livecodebench.jsonl", "livecodebench.jsonl.gz", "livecodebench.jsonl.zst"),
        *("test6.jsonl", "test5.jsonl", "livecodebench.parquet"),
    ),
    "the dataset livecodebench/code_generation_lite on the Hugging Face hub (test.jsonl, test2.jsonl to test6.jsonl)",
    folder="code_generation_lite",
)
_LINE = 1 << 29  # bytes of one
_SYSTEM = (
    "You are an expert Python programmer. You will be given a question (problem specification) and will generate a "
    "correct Python program that matches the specification and passes all tests."
)
_WITH_STARTER = (
    "You will use the following starter code to write the solution to the problem and enclose your code within "
    "delimiters."
)
_BY_STDIN = (
    "Read the inputs from stdin solve the problem and write the answer to stdout (do not directly test on the sample "
    "inputs). Enclose your code within delimiters as follows. Ensure that when the python program runs, it reads the "
    "inputs, runs the algorithm and writes output to STDOUT."
)


def problems(source: Source) -> list[Problem]:
    """The problems from `source.since` to `source.until`, by difficulty. Raises UserError."""
    found: list[Problem] = []
    for path in find_all("livecodebench", NEEDS, source):
        for row, place in _rows(path):
            date = as_text(row, ("contest_date",), place)[:10]
            if between(date, source.since, source.until):
                found.append(_problem(row, place, date, len(found)))
    if not found:
        raise UserError(none_between("livecodebench", source.since, source.until))
    return found


def _rows(path: Path) -> Iterator[tuple[Row, str]]:
    """Rows one after the other. Raises UserError."""
    if Path(plain_name(path.name.lower())).suffix != ".jsonl":
        yield from ((row, place) for row, place, _ in numbered(read_rows(path), path.name))
        return
    try:
        kind = inputs.other_than_file(path)
        if kind:
            raise UserError(f"cannot read {path}: it is {kind}, not a file")
        with path.open("rb") as file, reading(path, "fetch it again"):
            yield from _lines(stream(file, path), path.name)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from None


def _lines(file: Any, name: str) -> Iterator[tuple[Row, str]]:
    number = 0
    while line := file.readline(_LINE + 1):
        number += 1
        if len(line) > _LINE:
            raise UserError(f"line {number} of {name} has more than {_LINE >> 20} MB")
        if line.removeprefix(codecs.BOM_UTF8).strip():
            try:
                yield jsonl.record(jsonl.loads(line.decode("utf-8-sig")), {}), f"row {number} of {name}"
            except (ValueError, RecursionError):
                raise UserError(f"line {number} of {name} is no JSON object") from None


def _problem(row: Row, place: str, date: str, i: int) -> Problem:
    question = as_text(row, ("question_content",), place)
    starter = str(row.get("starter_code") or "")
    private = row.get("private_test_cases") or ""
    try:
        public = unpacked(as_text(row, ("public_test_cases",), place))
        if not isinstance(private, str):
            raise ValueError("its private test cases are no text")
        unpacked(private)  # a file that cannot be graded is refused before any answer is made
        call = _function(row.get("metadata")) if starter else ""
    except ValueError as error:
        raise UserError(f"{place} cannot be used: {error}") from None
    if not public and not private:
        raise UserError(f"{place} has no test cases")
    shown = f"{_WITH_STARTER if starter else _BY_STDIN}\n```python\n{starter or '# YOUR CODE HERE'}\n```"
    asked = f"### Question:\n{question}\n\n### Format: {shown}\n\n"
    asked += "### Answer: (use the provided format with backticks)\n\n"
    return Problem(
        own_id("livecodebench", row, ("question_id", "id"), i),
        f"{question}\n\n{_told(starter)}",
        {"cases": public, "packed": private, "call": call},
        str(row.get("difficulty") or ""),
        authors=f"{_SYSTEM}\n\n{asked}",
        date=date,
    )


def _told(starter: str) -> str:
    if starter:
        told = "Complete this code, and answer with all of it in one code block:"
        return f"{told}\n\n```python\n{starter}\n```"
    return (
        "Write a Python program that reads the input from stdin and writes the answer to stdout. Answer with the "
        "program in one code block."
    )


def _function(metadata: Any) -> str:
    """The name of the function that is called. Raises ValueError."""
    said = jsonl.loads(metadata) if isinstance(metadata, str) else metadata
    name = said.get("func_name") if isinstance(said, dict) else None
    if not isinstance(name, str) or not name.isidentifier():
        raise ValueError("it has starter code, and no func_name in its metadata")
    return name


FORMS: Forms = {
    "chat": Form(lambda p: p.text, template=True),
    "plain": Form(lambda p: f"{p.text}\n\n```python\n", stops=("\n```\n",)),
    "authors": AUTHORS,
}
TASK = Task(
    *("livecodebench", "code", problems, FORMS, 2048),
    "contest programs with dates",
    licence="CC",
    needs=NEEDS,
    size=1055,
    noise="A few problems accept several outputs and are judged by one of them; the licence is given as cc alone.",
)
