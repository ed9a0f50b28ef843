"""What a run is about, as it is written down; and what another start of it may not change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from localpower.errors import UserError
from localpower.evals.grade import grader_name
from localpower.evals.jobs import RenderedProblem
from localpower.evals.problem import Problem
from localpower.evals.store import Row

_FREE = {"created", "matched", "format"}  # may differ between two starts
_STATED = ".licence"  # of a task: what it is about is the same
_EXACTNESS = ".exactness"
_GROWING = ("limit", "samples")


def fingerprint(problems: Sequence[Problem]) -> str:
    """sha256 of everything that a task asks and takes for right."""
    rows = [[p.id, p.text, p.gold, list(p.options), list(p.order)] for p in problems]
    text = json.dumps(rows, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def problem_rows(
    asked: Mapping[str, Mapping[str, Sequence[RenderedProblem]]], *, save_text: bool
) -> list[Row]:
    """A row for each problem: gold, order of options, and the prompt by model unless its text is not to be stored."""
    rows: dict[tuple[str, str], Row] = {}
    for model, tasks in asked.items():
        for name, questions in tasks.items():
            for question in questions:
                problem, kept = question.problem, save_text or not question.task.secret
                row = rows.setdefault(
                    (name, problem.id),
                    {
                        "task": name,
                        "id": problem.id,
                        "group": problem.group,
                        "gold": problem.gold,
                        "order": list(problem.order),
                        "question": problem.text if kept else None,
                        "prompts": {},
                    },
                )
                row["prompts"][model] = {
                    "text": question.text if kept else None,
                    "tokens": list(question.tokens) if kept else None,
                    "sha256": hashlib.sha256(json.dumps(question.tokens).encode()).hexdigest(),
                    "chat": question.chat,
                    "stops": list(question.stops),
                    **({"thinking": True} if question.thinking else {}),
                    **({"prefix": question.prefix, "n_prefix": question.n_prefix} if question.prefix else {}),
                    **_shown_expert(question, kept=kept),
                }
    return list(rows.values())


def _shown_expert(question: RenderedProblem, *, kept: bool) -> Row:
    """The expert's answer and the prompt that shows it, where a method uses them."""
    if question.worked is None:
        return {}
    tokens = {"shown": list(question.shown or ()), "worked": list(question.worked)}
    sha256 = hashlib.sha256(json.dumps(tokens).encode()).hexdigest()
    return {"expert": {**(tokens if kept else {}), "sha256": sha256}}


def refuse_changes(old: Row, new: Row, where: str, *, elsewhere: bool = False) -> list[str]:
    """Notes on what grows. Raises UserError that names every setting that differs from the first start's.

    elsewhere: another machine may go on, whose engine is as exact as it is there.
    """
    notes = []
    changed = _renamed(old, new)
    for name, was, now in _differences(old, new):
        if elsewhere and name.endswith(_EXACTNESS):
            continue
        grows = name in _GROWING and (now is None or (was is not None and now > was))
        if grows and not old.get("matched"):
            notes.append(f"{name} was {was} and is {now}: the answers in between are made too")
        elif grows:
            changed.append(f"{name} was {was}, now {now} (best-of-n was matched on what there was)")
        else:
            changed.append(f"{name} was {_shown(was)}, now {_shown(now)}")
    if changed:
        raise UserError(
            f"{where} was begun with other settings: {'; '.join(changed)}",
            "use the same ones to go on, or another --out to begin anew",
        )
    return notes


def mixture(one: Row, other: Row, where: str, first: str) -> Row:
    """The settings of two parts of a run as one: the larger limit and samples. Raises UserError for other differences.

    Which grader gave the verdicts, and how exact a machine's engine is, may differ: the rows say it.
    """
    changed = _renamed(one, other)
    grown: Row = {}
    for name, was, now in _differences(one, other):
        if name in _GROWING:
            grown[name] = None if was is None or now is None else max(was, now)
        elif name != "grader" and not name.endswith(_EXACTNESS):
            changed.append(f"{name} is {_shown(now)} there and {_shown(was)} here")
    if changed:
        raise UserError(
            f"{where} was made with other settings than {first}: {'; '.join(changed)}",
            "move one of the two folders away",
        )
    return one | grown


def _renamed(old: Row, new: Row) -> list[str]:
    """Tasks, methods and models that only one of the two has."""
    changed = []
    for part in ("tasks", "methods", "models"):
        changed += [f"{part}.{name} is missing now" for name in old[part] if name not in new[part]]
        changed += [f"{part}.{name} is new" for name in new[part] if name not in old[part]]
    return changed


def _differences(old: Row, new: Row) -> Iterator[tuple[str, Any, Any]]:
    """Settings that differ, of what both have and of what may not differ freely: their dotted path, old and new."""
    shared = {part: old[part].keys() & new[part].keys() for part in ("tasks", "methods", "models")}

    def flat(each: Row) -> Row:
        parts = {p: {name: _essence(each[p][name]) for name in names} for p, names in shared.items()}
        return dict(_flat(each | parts))

    before, after = flat(old), flat(new)
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name), after.get(name)
        if was != now and name.split(".")[0] not in _FREE and not name.endswith(_STATED):
            yield name, was, now


def refuse_other_prompts(old: Mapping[tuple[str, str], Row], new: Sequence[Row], where: str) -> None:
    """Raises UserError when a problem is asked in other tokens, or with other stops, than at the first start.

    No setting says so of a task file's stops, or of a template that tells the time.
    """
    for row in new:
        before = old.get((row["task"], row["id"]))
        if before is not None and before["prompts"] != row["prompts"]:
            raise UserError(
                f"{where} was begun with another prompt or other stops for {row['id']}",
                "begin anew with another --out",
            )


def refuse_other_graders(rows: Iterable[Row], settings: Row, where: str) -> None:
    """Raises UserError for answers that another grader, or an older one, has graded: one table has one."""
    kinds = {name: task["kind"] for name, task in settings["tasks"].items()}
    how = settings["grader"]
    others = {row["grader"] for row in rows if row["grader"] != grader_name(how, kinds[row["task"]])}
    if others:
        raise UserError(
            f"answers in {where} were graded by {' and '.join(sorted(others))}",
            f"localpower regrade {where} --grader {how} grades them as the others will be",
        )


def _essence(part: Row) -> Row:
    """Of a model without what it is called and where it lies: its sha256 says which it is."""
    left_out = ("name", "path") if "sha256" in part else ()
    return {name: value for name, value in part.items() if name not in left_out}


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Leaves by dotted path."""
    if isinstance(value, dict) and value:
        for part, inner in value.items():
            yield from _flat(inner, f"{name}.{part}" if name else part)
    else:
        yield name, value


def _shown(value: Any) -> str:
    return "not set" if value is None else json.dumps(value) if isinstance(value, str | list) else str(value)
