"""Rows of a cold start as a trainer reads them: equally many for every start, and none of a test problem."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from cold_start import ROWS, TASK

from localpower.data.formats import IGNORED
from localpower.lab.problems import Problem

Rows = list[dict[str, Any]]
Whole = np.ndarray[Any, np.dtype[np.int64]]


def chosen(path: Path) -> Rows:
    """The first ROWS of the rows that `localpower export` wrote, one a problem.

    Raises OSError for a file that is not there, ValueError for too few rows, two to one problem, or a test problem.
    """
    with path.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines][:ROWS]
    if len(rows) < ROWS:
        raise ValueError(f"{path} has {len(rows):,} rows and every start needs {ROWS:,}")
    names = [row["problem_id"] for row in rows]
    if len(set(names)) < len(names):
        raise ValueError(f"{path} has several rows to one problem")
    for row, name in zip(rows, names, strict=True):
        if row["task"] != TASK or Problem("", 0, name.removeprefix(f"{TASK}/"), "").held_out:
            raise ValueError(f"{path} has a row of {row['task']} to {name}, which is no training problem")
    return rows


def padded(rows: Rows, context: int, filler: int) -> tuple[Whole, Whole]:
    """Token ids and labels, (n, context) each; after the end the filler, and no label."""
    tokens = np.full((len(rows), context), filler)
    labels = np.full((len(rows), context), IGNORED)
    for i, row in enumerate(rows):
        n = len(row["input_ids"])
        tokens[i, :n], labels[i, :n] = row["input_ids"], row["labels"]
    return tokens, labels
