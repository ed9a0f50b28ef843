"""Stored answers in groups: one for each task, model and method of one or more runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from localpower.evals.store import Row, Stored
from localpower.inputs import readable

_SHOWN = 24  # characters of an answer prefix in a label


@dataclass(frozen=True, slots=True)
class Group:
    """label: unique within its task. items: the rows by problem, in order of their samples."""

    task: str
    label: str
    model: str
    method: str
    run: Stored
    items: dict[str, list[Row]]

    @property
    def rows(self) -> list[Row]:
        """All answers."""
        return [row for rows in self.items.values() for row in rows]

    def right(self) -> dict[str, list[bool]]:
        """Which graded answers are right, by problem."""
        graded = {
            name: [row["verdict"] == "right" for row in rows if row["verdict"] != "ungraded"]
            for name, rows in self.items.items()
        }
        return {name: rows for name, rows in graded.items() if rows}


def groups(runs: Sequence[Stored]) -> list[Group]:
    """In the order of runs, tasks, models and methods. A label has only as many parts as tell it from the others."""
    found: list[Group] = []
    models = {model for run in runs for model in run.settings["models"]}
    prefixes = {run.settings.get("answer_prefix") for run in runs}
    for i, run in enumerate(runs):
        for task in run.settings["tasks"]:
            for model in run.settings["models"]:
                for method in run.settings["methods"]:
                    asked = (task, model, method)
                    rows = [r for r in run.rows if (r["task"], r["model"], r["method"]) == asked]
                    if not rows:
                        continue
                    items: dict[str, list[Row]] = {}
                    for row in sorted(rows, key=lambda row: (row["id"], row["sample"])):
                        items.setdefault(row["id"], []).append(row)
                    parts = [
                        readable(run.path.name or str(run.path)) if len(runs) > 1 else "",
                        model if len(models) > 1 else "",
                        method,
                        _prefix(run.settings.get("answer_prefix")) if len(prefixes) > 1 else "",
                    ]
                    label = " ".join(part for part in parts if part)
                    if any((group.task, group.label) == (task, label) for group in found):
                        label = f"{label} ({i + 1})"
                    found.append(Group(task, label, model, method, run, items))
    return found


def _prefix(text: str | None) -> str:
    """What a run gave its answers to begin with, as part of a label: `+prefix "\\n\\nOkay"`."""
    if text is None:
        return ""
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    safe = (each if each.isprintable() else each.encode("unicode_escape").decode() for each in shown)
    return f'+prefix "{"".join(safe)}"'
