"""A task of the user's own: a small TOML file beside the rows it is about.

name = "rivers"                     # else the file's name
data = "rivers.jsonl"               # JSON, JSONL or CSV; relative to this file
prompt = "{question} One word."     # fields of a row in braces; else the field prompt, question or problem
answer = "answer"                   # the field with the right answer, or a list of them
id = "id"                           # else the number of the row
grader = "text"                     # text, number, list, math, letter or open
max_tokens = 64
stops = ["\\n"]
template = true                     # false: the text as it is, even where the model has a chat template
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localpower.errors import UserError
from localpower.evals.forms import Form, Forms
from localpower.evals.problem import Problem
from localpower.evals.sources import Row, Source, numbered, pick, read_rows
from localpower.evals.task import Task

_GRADERS = {
    "text": "short",
    "number": "short",
    "list": "short",
    "math": "math",
    "letter": "letter",
    "open": "open",
}
_FIELDS: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "data": str,
    "prompt": str,
    "answer": str,
    "id": str,
    "grader": str,
    "max_tokens": int,
    "stops": list,
    "template": bool,
}
_TEXTS = ("prompt", "question", "problem", "instruction")


def read(path: Path) -> Task:
    """The task. Raises UserError for a file that cannot be read or says what no task file says."""
    try:
        said = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"cannot read the task file {path}: {reason}") from None
    for name, value in said.items():
        if name not in _FIELDS:
            raise UserError(
                f"{path} says {name}, which no task file does", f"it may say {', '.join(_FIELDS)}"
            )
        wrong_type = not isinstance(value, _FIELDS[name]) or (
            _FIELDS[name] is int and isinstance(value, bool)
        )
        if wrong_type or (isinstance(value, int) and _FIELDS[name] is int and value < 1):
            raise UserError(f"{path}: {name} cannot be {value!r}")
    name = said.get("name", path.stem)
    if not name.strip() or not name.isprintable():
        raise UserError(f"{path}: a task's name cannot be {name!a}")
    grader, stops = said.get("grader", "text"), said.get("stops", [])
    if grader not in _GRADERS:
        raise UserError(f"{path}: there is no grader {grader}", f"graders: {', '.join(_GRADERS)}")
    if not all(isinstance(stop, str) and stop for stop in stops):
        raise UserError(f"{path}: stops must be texts, none of them empty")
    return Task(
        name,
        _GRADERS[grader],
        _loader(said, path, grader),
        _forms(tuple(stops), template=said.get("template", True)),
        said.get("max_tokens", 256),
        f"from {path.name}",
    )


def _forms(stops: tuple[str, ...], *, template: bool) -> Forms:
    def write(problem: Problem) -> str:
        return problem.text

    return {"chat": Form(write, template, stops), "plain": Form(write, stops=stops)}


def _loader(said: dict[str, Any], path: Path, grader: str) -> Callable[[Source], list[Problem]]:
    def load(source: Source) -> list[Problem]:
        named = source.path if source.path is not None and source.path.is_file() else None
        data = named or path.parent / said.get("data", f"{path.stem}.jsonl")
        return [
            _problem(row, place, i, said, grader) for row, place, i in numbered(read_rows(data), data.name)
        ]

    return load


def _problem(row: Row, place: str, i: int, said: dict[str, Any], grader: str) -> Problem:
    def field(match: re.Match[str]) -> str:
        return str(pick(row, (match.group(1),), place))

    text = re.sub(r"\{(\w+)\}", field, said["prompt"]) if "prompt" in said else str(pick(row, _TEXTS, place))
    if not text.strip():
        raise UserError(f"{place} has an empty prompt")
    own = row.get(said.get("id", "id"))
    if grader == "open":
        return Problem(str(i if own is None else own), text)
    answer = pick(row, (said.get("answer", "answer"),), place)
    answers = [str(part) for part in answer] if isinstance(answer, list) else [str(answer)]
    if grader == "list" and isinstance(answer, list) and not any(isinstance(part, str) for part in answer):
        answers = [", ".join(answers)]  # one list of numbers, not several answers
    if not answers:
        raise UserError(f"{place} has no right answer")
    gold = {"form": grader, "answers": answers} if _GRADERS[grader] == "short" else answers[0]
    return Problem(str(i if own is None else own), text, gold)
