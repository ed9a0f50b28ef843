"""What compared runs differ in beside method and model: a difference between them may come from that."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from localpower.evals.groups import Group
from localpower.evals.store import Row

_SETTINGS = {
    "prompt": "prompt style",
    "system": "system message",
    "raw": "--raw",
    "template_args": "template arguments",
    "answer_prefix": "answer prefix",
    "think": "--think",
    "thinking_budget": "thinking budget",
    "own_stops": "the task's own stops",
    "samples": "samples",
}
_SHOWN = 40  # characters of a value


def difference_note(found: Sequence[Group]) -> list[str]:
    """One note for the groups of a task that come from several runs; none where the runs are alike."""
    asked = [_asked(group) for group in {str(group.run.path): group for group in found}.values()]
    told = []
    for name in dict.fromkeys(name for each in asked for name in each):
        values = list(dict.fromkeys(each[name] for each in asked if name in each))
        if len(values) > 1:
            told.append(name if name == _DATA else f"{name} ({' or '.join(map(_shown, values))})")
    return [f"the runs differ in more than method and model: {', '.join(told)}"] if told else []


def machine_note(found: Sequence[Group]) -> list[str]:
    """One note where answers of a model come from machines that may round otherwise. Older rows do not say."""
    told = []
    for model in dict.fromkeys(group.model for group in found):
        rows = [row for group in found if group.model == model for row in group.rows]
        machines = list(dict.fromkeys(row["machine"] for row in rows if row.get("machine")))
        if len(machines) > 1:
            told.append(
                f"answers of {model} were made on {len(machines)} kinds of machine, which may round otherwise, so that "
                f"the same seed may give other answers: {'; '.join(machines)}"
            )
    return told


_DATA = "problems (only those with the same id are paired)"


def _asked(group: Group) -> dict[str, str]:
    """How a run puts the problems of a task, and what ends answers, as JSON texts. Old runs lack some of it."""
    settings, task = group.run.settings, group.run.settings["tasks"][group.task]
    asked = [problem for (name, _), problem in group.run.problems.items() if name == group.task]
    prompts = [prompt for problem in asked for prompt in problem["prompts"].values()]
    values = {
        _DATA: task["problems_sha256"],
        "longest answer": task.get("max_tokens"),
        "stops": _all(prompts, "stops"),
        "chat template": _all(prompts, "chat"),
        **{words: settings.get(name) for name, words in _SETTINGS.items()},
    }
    for label, method in settings["methods"].items():
        values |= {f"{name} of {label}": value for name, value in method.items()}
    return {name: json.dumps(value, sort_keys=True, ensure_ascii=False) for name, value in values.items()}


def _all(prompts: Iterable[Row], name: str) -> Any:
    """What all prompts have, or a list of what they have: models with and without a template have other stops."""
    found = {json.dumps(prompt.get(name)) for prompt in prompts}
    values = [json.loads(text) for text in sorted(found)]
    return values[0] if len(values) == 1 else values


def _shown(value: str) -> str:
    words = {"null": "none", "[]": "none", "{}": "none", "true": "yes", "false": "no"}.get(value, value)
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN]}..."
