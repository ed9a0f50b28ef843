"""A report as one self-contained page: charts, tables, and every answer beside the others to its problem.

The template draws; this file prepares numbers and texts. Nothing of a model or a problem is markup: jinja2 escapes it,
control characters are shown instead of obeyed, and the page's policy lets it load nothing and run only its own script.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import fmean
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from localpower.evals.groups import Group
from localpower.evals.sharpness import Sharpening
from localpower.runs.repetition import LOOPING, loops
from localpower.ui import charts
from localpower.ui.columns import meaning
from localpower.ui.differences import Piece, marked
from localpower.ui.sharpening_page import lines_of, sharpened
from localpower.ui.tables import sections
from localpower.ui.view import harmless

_ROOM = 6_000_000  # characters that all answers of a page may have together, about
_SHORTEST, _LONGEST = 400, 20_000  # characters that each of them may have, whatever the room
_QUESTION, _GOLD = 6_000, 400  # characters
_COLOURS = 8  # of the style sheet; then they come again, dashed
_FINISHES = {
    "stop": "ended by itself",
    "length": "stopped at the longest length",
    "turns": "stopped at the most turns",
    "budget": "stopped by its budget",
    "interrupted": "interrupted",
}

Report = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """pieces: the text, with what the baseline's answer lacks; empty: not stored."""

    label: str
    row: Report
    pieces: list[Piece]
    finish: str
    loops: bool


@dataclass(frozen=True, slots=True)
class Problem:
    """question, prompt: None where they are not stored. differs: whether the accuracies of the methods do.

    samples: for each sample the answers of all methods, None for missing.
    """

    name: str
    group: str
    question: str | None
    prompt: str | None
    gold: str
    differs: bool
    samples: list[list[Answer | None]]


def page(report: Report, groups: Sequence[Group], sharpening: Sharpening | None = None) -> str:
    """The whole page. groups: those of the report, with their answers. sharpening: what a sharpening report found."""
    environment = _environment()
    labels = dict.fromkeys(group["label"] for task in report["tasks"].values() for group in task["groups"])
    script = environment.get_template("compare.js").render()
    return environment.get_template("compare.html").render(
        report=report,
        sharpened={} if sharpening is None else sharpened(sharpening),
        sharpening_lines=() if sharpening is None else lines_of(sharpening),
        methods=list(labels),
        keys={label: chr(65 + i) if i < 26 else str(i + 1) for i, label in enumerate(labels)},
        colours={label: f"c{i % _COLOURS}{' again' * (i >= _COLOURS)}" for i, label in enumerate(labels)},
        problems={task: _problems([g for g in groups if g.task == task], report) for task in report["tasks"]},
        baselines={
            task: _baseline([group["label"] for group in told["groups"]], report)
            for task, told in report["tasks"].items()
        },
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


@cache
def _environment() -> Environment:
    """The templates, and what they call."""
    environment = Environment(
        loader=PackageLoader("localpower.ui"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.do"],
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: harmless(value) if type(value) is str else value,
    )
    drawing = (charts.doublings, charts.linear, charts.roof, charts.ticks, charts.together)
    environment.globals |= {
        function.__name__: function for function in (*drawing, math.log2, meaning, sections)
    }
    environment.globals["looping"] = LOOPING
    return environment


def _baseline(labels: Sequence[str], report: Report) -> str:
    """The method that others are marked against: as asked for, else the first."""
    return report["baseline"] if report["baseline"] in labels else labels[0]


def _problems(groups: Sequence[Group], report: Report) -> list[Problem]:
    """Every problem of a task with its answers."""
    n_answers = sum(len(rows) for group in groups for rows in group.items.values())
    limit = min(max(_ROOM // max(n_answers, 1), _SHORTEST), _LONGEST)
    base = _baseline([group.label for group in groups], report)
    names = dict.fromkeys(name for group in groups for name in group.items)
    return [_problem(name, groups, base, limit) for name in names]


def _problem(name: str, groups: Sequence[Group], base: str, limit: int) -> Problem:
    told = next(group.run.problems[group.task, name] for group in groups if name in group.items)
    question, prompts = told["question"], list(told["prompts"].values())
    found = {g.label: {row["sample"]: row for row in g.items.get(name, ())} for g in groups}

    def text(label: str, sample: int) -> str | None:
        """As shown. Where the question is secret, so is what answers quote of it."""
        row = found[label].get(sample)
        return None if row is None or None in (question, row["text"]) else _shortened(row["text"], limit)

    def answer(label: str, sample: int) -> Answer | None:
        if sample not in found[label]:
            return None
        row, shown, other = found[label][sample], text(label, sample), text(base, sample)
        pieces: list[Piece] = []
        if shown is not None:
            pieces = [(shown, False)] if other is None or label == base else marked(shown, other)
        finish = str(row["finish"])
        return Answer(label, row, pieces, _FINISHES.get(finish, finish), loops(row["tokens"]))

    samples = sorted({sample for rows in found.values() for sample in rows})
    return Problem(
        name,
        told["group"],
        None if question is None else _shortened(question, _QUESTION),
        _shortened(prompts[0]["text"], _QUESTION)
        if prompts and None not in (question, prompts[0]["text"])
        else None,
        _gold(told["gold"]),
        len(groups) > 1 and _differ([list(rows.values()) for rows in found.values() if rows]),
        [[answer(label, sample) for label in found] for sample in samples],
    )


def _differ(methods: Sequence[Sequence[Report]]) -> bool:
    """Whether some methods are more accurate on a problem than others; ungraded answers are taken to differ."""
    if any(row["verdict"] == "ungraded" for rows in methods for row in rows):
        return True
    return len({fmean(row["verdict"] == "right" for row in rows) for rows in methods}) > 1


def _shortened(text: str, limit: int) -> str:
    """Without its middle, where it is too long: an answer's end is what is graded."""
    n = len(text) - limit
    if n <= 0:
        return text
    return f"{text[: limit // 2]}\n[... {n:,} characters are left out here ...]\n{text[len(text) - limit // 2 :]}"


def _gold(gold: Any) -> str:
    """The correct answer, or all that a grader of programs or sums is given."""
    if not isinstance(gold, Mapping):
        return "" if gold is None else str(gold)
    for name in ("answers", "solution"):
        if name in gold:
            return ", ".join(gold[name]) if isinstance(gold[name], list) else str(gold[name])
    return _shortened(" · ".join(f"{name}: {part}" for name, part in gold.items()), _GOLD)
