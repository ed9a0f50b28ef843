"""A task of the user's own: a small TOML file beside the rows it is about.

name = "rivers"                     # else the file's name
data = "rivers.jsonl"               # JSON, JSONL, CSV, TSV or parquet, or a dataset's folder; relative to this file
config = "default"                  # of a dataset in hub layout, and its split
split = "test"
prompt = "{question} One word."     # fields of a row in braces, {{ for a brace; else prompt, question or problem
answer = "answer"                   # the field with the right answer, or a list of them
worked = "solution"                 # a field with a right answer and its reasons, for --method project
id = "id"                           # else the number of the row
grader = "text"                     # text, number, list, math, letter or open; state: the environment judges
max_tokens = 64
stops = ["\\n"]
template = true                     # false: the text as it is, even where the model has a chat template
licence = "CC-BY-4.0"               # of the rows, for data that is made from their answers
environment = ["notes", "house.py"] # tools, as --tools takes them; files relative to this one
tool_format = "plain"               # else the model's own
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localpower import inputs, jsonl
from localpower.errors import UserError
from localpower.evals import hub_layout
from localpower.evals.forms import Form, Forms
from localpower.evals.problem import Problem
from localpower.evals.rows import Row
from localpower.evals.sources import Source, as_text, data_folder, numbered, pick, read_rows
from localpower.evals.task import Task
from localpower.evals.wording import Part, parts_of, written
from localpower.grading.verdicts import grade_letter, grade_number
from localpower.tools.formats import find as find_format
from localpower.tools.names import runs_code
from localpower.tools.opened import Opened

_GRADERS = dict.fromkeys(("text", "number", "list"), "short") | {
    name: name for name in ("math", "letter", "open", "state")
}
_NO_ANSWER = ("open", "state")  # graders that compare with nothing in a row
_FIELDS: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("name", "data", "prompt", "answer", "worked", "id", "grader"), str),
    **{"max_tokens": int, "stops": list, "template": bool, "licence": str, "environment": (str, list)},
    **dict.fromkeys(("tool_format", "config", "split"), str),
}
_FITS: dict[str, Callable[[str], bool]] = {  # a right answer that is none would make every answer a wrong one
    "number": lambda answer: (
        grade_number(answer, answer=answer).verdict == "right" and not re.search(r"\d[eE][-+]?\d", answer)
    ),
    "letter": lambda answer: grade_letter(answer, answer=answer.upper()).verdict == "right",
}
_WHAT = {"number": "number", "letter": "letter from A to D"}
_TEXTS = ("prompt", "question", "problem", "instruction")


def read(path: Path) -> Task:
    """The task. Raises UserError for a file that cannot be read or says what no task file says."""
    text = inputs.text(inputs.read(path, "it should be a task file"), str(path))
    try:
        said = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"cannot read the task file {path}: {error}") from None
    for name, value in said.items():
        if name not in _FIELDS:
            hint = f"it may say {', '.join(_FIELDS)}"
            raise UserError(f"{path} says {name}, which no task file does", hint)
        fits = isinstance(value, _FIELDS[name])
        if not fits or (_FIELDS[name] is int and (isinstance(value, bool) or value < 1)):
            raise UserError(f"{path}: {name} cannot be {value!r}")
    name = said.get("name", inputs.readable(path.stem))
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
        _loader(said, path, grader, _parts(said, path, grader)),
        _forms(tuple(stops), template=said.get("template", True)),
        said.get("max_tokens", 256),
        f"from {path.name}",
        licence=said.get("licence", ""),
        **_tools(said, path, grader),
    )


def _tools(said: dict[str, Any], path: Path, grader: str) -> dict[str, Any]:
    """What the task says of an environment; nothing is opened yet. Raises UserError."""
    given = said.get("environment", [])
    names = [given] if isinstance(given, str) else given
    if not all(isinstance(name, str) and name for name in names):
        raise UserError(f"{path}: environment must be the name of tools, or a list of names")
    if not names:
        if grader == "state":
            raise UserError(f"{path}: the grader state needs an environment that judges its state")
        return {}
    places = [str(path.parent / name) if name.endswith(".py") else name for name in names]
    hint = "it should be a Python file of tools"
    files = [inputs.read(Path(place), hint) for place in places if place.endswith(".py")]
    return {
        "environment": Opened(places).of,
        "tools": " and ".join(names),
        "tools_sha256": hashlib.sha256(b"\0".join(files)).hexdigest() if files else "",
        "tool_format": find_format(said["tool_format"]).name if "tool_format" in said else "",
        "runs_code": any(map(runs_code, places)),
    }


def _forms(stops: tuple[str, ...], *, template: bool) -> Forms:
    def write(problem: Problem) -> str:
        return problem.text

    return {"chat": Form(write, template, stops), "plain": Form(write, stops=stops)}


def _parts(said: dict[str, Any], path: Path, grader: str) -> list[Part] | None:
    """Of its prompt; None where it has none. Raises UserError for one that would tell the model the right answer."""
    if "prompt" not in said:
        return None
    parts = parts_of(said["prompt"], str(path))
    hidden = [said.get("answer", "answer"), *([said["worked"]] if "worked" in said else [])]
    for answer in hidden if grader not in _NO_ANSWER else ():
        if Part(answer, is_field=True) in parts:
            raise UserError(
                f"{path}: its prompt has {{{answer}}}, the right answer, which the model must not see",
                f"write {{{{{answer}}}}} for the text {{{answer}}}",
            )
    return parts


def _loader(
    said: dict[str, Any], path: Path, grader: str, parts: list[Part] | None
) -> Callable[[Source], list[Problem]]:
    def load(source: Source) -> list[Problem]:
        data = _data(Path(said.get("data", f"{path.stem}.jsonl")), path, source)
        files = [data]
        if data.is_dir():
            files = hub_layout.files(data, said.get("config", ""), said.get("split", ""))
            if not files:
                raise UserError(
                    f"cannot read {data}: it is a folder, and no dataset",
                    "a dataset has a README.md with `configs: data_files`, or parquet files",
                )
        rows = [row for file in files for row in numbered(read_rows(file), file.name)]
        return [_problem(row, place, i, said, grader, parts) for i, (row, place, _) in enumerate(rows)]

    return load


def _data(name: Path, path: Path, source: Source) -> Path:
    """The file of the rows: the one that --data names, or in its folder, or beside the task file. Raises UserError."""
    named = source.path
    if named is not None and not named.exists():
        raise UserError(f"--data {named} does not exist", f"{path} reads {name}")
    if named is not None and not named.is_dir():
        return named
    own = path.parent / name
    folders = [own, data_folder() / name] if named is None else [named / name, named / name.name]
    if named is not None and not any(each.exists() for each in folders) and hub_layout.is_dataset(named):
        return named
    return next((each for each in [*folders, own] if each.exists()), own)


def _says(value: Any) -> bool:
    """Whether a row has something in a field that may be empty."""
    return value is not None and not (isinstance(value, str) and not value.strip())


def _problem(
    row: Row, place: str, i: int, said: dict[str, Any], grader: str, parts: list[Part] | None
) -> Problem:
    right = said.get("answer", "answer")
    hidden = (right, said.get("worked"))
    asked = tuple(name for name in _TEXTS if name not in hidden or grader in _NO_ANSWER)
    text = as_text(row, asked, place) if parts is None else written(parts, row, place)
    if not text.strip():
        raise UserError(f"{place} has an empty prompt")
    own = row.get(said.get("id", "id"))
    if grader in _NO_ANSWER:
        return Problem(str(i if own is None else own), text)
    answer = pick(row, (right,), place)
    try:
        answers = [jsonl.text(part) for part in (answer if isinstance(answer, list) else [answer])]
    except ValueError:
        raise UserError(f"{place} has no text, number or list of them in {right}") from None
    if grader == "list" and isinstance(answer, list) and not any(isinstance(part, str) for part in answer):
        answers = [", ".join(answers)]  # one list of numbers, not several answers
    if not answers or not all(each.strip() for each in answers):
        raise UserError(f"{place} has no right answer: {right} is empty")
    if (fits := _FITS.get(grader)) and (wrong := [each for each in answers if not fits(each)]):
        raise UserError(
            f"{place} has the right answer {wrong[0]!a}, in which the grader {grader} finds no {_WHAT[grader]}"
        )
    gold = {"form": grader, "answers": answers} if _GRADERS[grader] == "short" else answers[0]
    worked = as_text(row, (said["worked"],), place) if _says(row.get(said.get("worked", ""))) else ""
    return Problem(str(i if own is None else own), text, gold, worked=worked)
