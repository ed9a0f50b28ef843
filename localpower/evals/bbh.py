"""BIG-Bench Hard (Suzgun et al. 2022, arXiv 2210.09261): 27 files of short answers, with worked examples."""

from __future__ import annotations

import re
from pathlib import Path

from localpower import inputs
from localpower.errors import UserError
from localpower.evals.forms import Form, Forms
from localpower.evals.problem import Problem
from localpower.evals.sources import Needs, Source, as_text, data_folder, find_all, numbered, read_rows
from localpower.evals.task import Task

NEEDS = Needs(
    ("bbh.json", "bbh.jsonl", "bbh.csv"),
    "github.com/suzgunmirac/BIG-Bench-Hard (the folder bbh, and cot-prompts beside it)",
    folder="BIG-Bench-Hard",
)
_PARTS = 27
_STEP = "A: Let's think step by step."
_LONGEST = 1 << 20


def problems(source: Source) -> list[Problem]:
    """The examples of one file, or of all in a folder `bbh`, by the file's name. Raises UserError."""
    found = []
    for path in _files(source):
        part = path.name.split(".")[0]
        shots = _shots(path)
        for row, place, i in numbered(read_rows(path), path.name):
            question = as_text(row, ("input",), place)
            found.append(
                Problem(
                    f"bbh/{row.get('task', part)}/{i}",
                    question,
                    as_text(row, ("target",), place).strip(),
                    str(row.get("task", part)),
                    authors=f"{shots}Q: {question}\n{_STEP}",
                )
            )
    return found


def _files(source: Source) -> list[Path]:
    """The authors' folder, where --data or the data folder holds it; else one file."""
    folder = source.path if source.path is not None else data_folder()
    for place in (folder / "bbh", folder / NEEDS.folder / "bbh", folder):
        files = sorted(place.glob("*.json")) if place.is_dir() else []
        if len(files) == _PARTS or (files and place.name == "bbh"):
            return files
    return find_all("bbh", NEEDS, source)


def _shots(path: Path) -> str:
    """The authors' instruction and worked examples for a file, which lie in `cot-prompts`; "" where they do not."""
    for folder in (path.parent / "cot-prompts", path.parent.parent / "cot-prompts"):
        file = folder / f"{path.name.split('.')[0]}.txt"
        if file.is_file():
            text = inputs.text(inputs.read(file, "", _LONGEST), str(file)).replace("\r\n", "\n")
            body = re.split(r"^-{3,}\n", text, maxsplit=1, flags=re.MULTILINE)[-1]  # a canary stands before
            if "Q:" not in body:
                raise UserError(f"{file} holds no worked examples", f"it is published at {NEEDS.where}")
            return f"{body.strip()}\n\n"
    return ""


_LAST = 'Think step by step, then finish with "So the answer is" and the answer alone.'
FORMS: Forms = {
    "chat": Form(lambda p: f"{p.text}\n\n{_LAST}", template=True),
    "plain": Form(lambda p: f"Q: {p.text}\n{_LAST}\n{_STEP}", stops=("\nQ:",)),
    "authors": Form(lambda p: p.authors, stops=("\n\nQ:",)),
}
TASK = Task(
    *("bbh", "phrase", problems, FORMS, 1024),
    "27 kinds of short answers",
    licence="MIT",
    needs=NEEDS,
    size=6511,
    noise="Some targets of a few files (salient translation errors, movie recommendation, snarks) are disputed.",
)
