"""ARC-AGI-1 (Chollet 2019, arXiv 1911.01547): a grid from examples of grids; every cell must be right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from localpower import inputs, jsonl
from localpower.errors import UserError
from localpower.evals.forms import Form, Forms
from localpower.evals.problem import Problem
from localpower.evals.sources import Needs, Source, data_folder, find, read_bytes
from localpower.evals.task import Task

NEEDS = Needs(
    ("arc.json", "arc-agi_evaluation_challenges.json"),
    "github.com/fchollet/ARC-AGI (the folder data/evaluation)",
    folder="ARC-AGI",
)
_HINT = f"it is published at {NEEDS.where}"
Grid = list[list[int]]


def problems(source: Source) -> list[Problem]:
    """Each test grid of each file of a folder, or of one file, or of one object of tasks by name. Raises UserError."""
    found = []
    for path in _files(source):
        for name, task in _tasks(path):
            place = f"{name} of {path.name}"
            pairs = _pairs(task, "train", place)
            for i, (given, right) in enumerate(_pairs(task, "test", place)):
                shown = "\n\n".join(f"Input:\n{_drawn(a)}\n\nOutput:\n{_drawn(b)}" for a, b in pairs)
                text = f"{shown}\n\nInput:\n{_drawn(given)}\n\nOutput:"
                found.append(Problem(f"arc/{name}/{i}", text, right, f"{len(right)}x{len(right[0])}"))
    if not found:
        raise UserError("arc found no tasks", _HINT)
    return found


def _files(source: Source) -> list[Path]:
    """The authors' folder (evaluation before training), any folder of such files, or one file."""
    folder = source.path if source.path is not None else data_folder() / NEEDS.folder
    for place in (folder / "data" / "evaluation", folder / "evaluation", folder):
        files = sorted(place.glob("*.json")) if place.is_dir() else []
        if files:
            return files
    return [find("arc", NEEDS, source)]


def _tasks(path: Path) -> list[tuple[str, Any]]:
    """By name: of the file, or in it. Raises UserError."""
    try:
        said = jsonl.loads(inputs.text(read_bytes(path), path.name))
    except (ValueError, RecursionError):
        raise UserError(f"{path} is no JSON", _HINT) from None
    if not isinstance(said, dict):
        raise UserError(f"{path} is no ARC task: it is no object", _HINT)
    if "train" in said or "test" in said:
        return [(path.name.split(".")[0], said)]
    return list(said.items())


def _pairs(task: Any, part: str, place: str) -> list[tuple[Grid, Grid]]:
    pairs = task.get(part) if isinstance(task, dict) else None
    if not isinstance(pairs, list) or not pairs:
        raise UserError(f"{place} has no {part}, a list of pairs of grids", _HINT)
    found = []
    for i, pair in enumerate(pairs):
        grids = [pair.get(name) if isinstance(pair, dict) else None for name in ("input", "output")]
        for name, grid in zip(("input", "output"), grids, strict=True):
            if not _is_grid(grid):
                raise UserError(f"{place}: pair {i + 1} of {part} has no {name}, a grid of digits", _HINT)
        found.append((grids[0], grids[1]))
    return found  # type: ignore[return-value]


def _is_grid(grid: Any) -> bool:
    return (
        isinstance(grid, list)
        and bool(grid)
        and all(isinstance(row, list) and row and len(row) == len(grid[0]) for row in grid)
        and all(isinstance(cell, int) and 0 <= cell <= 9 for row in grid for cell in row)
    )


def _drawn(grid: Grid) -> str:
    return "\n".join(" ".join(map(str, row)) for row in grid)


_TOLD = (
    "Each output grid below is made from its input grid by the same rule. Find the rule, and answer with the last "
    "output grid: its rows on lines of their own, with a blank between the numbers."
)
FORMS: Forms = {
    "chat": Form(lambda p: f"{_TOLD}\n\n{p.text}", template=True),
    "plain": Form(lambda p: f"{_TOLD}\n\n{p.text}\n", stops=("\n\nInput:",)),
}
TASK = Task(
    *("arc", "grid", problems, FORMS, 4096),
    "grids from examples, cell by cell",
    licence="Apache-2.0",
    needs=NEEDS,
    size=419,
    noise="One attempt counts here; the authors' contest takes the best of several. They give no text for models.",
)
