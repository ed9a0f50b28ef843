"""A sharpening report as the page shows it: sentences, curves and tables, prepared for the template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from localpower.evals.lineup import Line
from localpower.evals.sharpness import Sharpening, TaskSharpening
from localpower.statistics import Interval
from localpower.ui.sharpening_report import QUESTION, remarks, told
from localpower.ui.sharpening_tables import Section, sections_of


@dataclass(frozen=True, slots=True)
class Spot:
    """A share at k, with the ends of its interval."""

    k: int
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Curve:
    """label: as the page calls these answers elsewhere."""

    label: str
    pass_at: list[Spot]


@dataclass(frozen=True, slots=True)
class Shown:
    """One task. labels: of lines by their names. axis: what the tokens of the second chart are counted in."""

    question: str
    sentences: Sequence[str]
    remarks: Sequence[tuple[str, Sequence[str]]]
    sections: Sequence[Section]
    at_k: Sequence[Curve]
    at_tokens: Sequence[Curve]
    axis: str
    labels: dict[str, str]


def lines_of(found: Sharpening) -> list[str]:
    """What is said once: which model is which, and what is left out."""
    return [told(found.who), *found.notes]


def sharpened(found: Sharpening) -> dict[str, Shown]:
    """By task."""
    return {name: _shown(found, task) for name, task in found.tasks.items()}


def _shown(found: Sharpening, task: TaskSharpening) -> Shown:
    names = [task.base, *([task.null.name] if task.null else []), task.tuned]
    lines = [line for name in names for line in task.lines if line.name == name]
    curves = [Curve(line.label, [_spot(each.k, each.passed) for each in line.passes]) for line in lines]
    budgets = [
        Curve(line.label, [_spot(each.multiple, each.passed) for each in line.budgets]) for line in lines
    ]
    budgets = [curve for curve in budgets if curve.pass_at]
    return Shown(
        question=QUESTION,
        sentences=task.finding,
        remarks=remarks(task),
        sections=sections_of(found.who, task),
        at_k=curves if _wide(curves) else [],
        at_tokens=budgets if _wide(budgets) else [],
        axis=f"plain answers of the base, {task.pair.tokens[0]:.0f} tokens each",
        labels=_labels(task.lines),
    )


def _labels(lines: Sequence[Line]) -> dict[str, str]:
    return {line.name: line.label for line in lines}


def _spot(k: int, share: Interval) -> Spot:
    return Spot(k, share.value, share.low, share.high)


def _wide(curves: Sequence[Curve]) -> bool:
    """Whether there is more than one k, so that there is a curve to draw."""
    return len({spot.k for curve in curves for spot in curve.pass_at}) > 1
