"""Open answers head to head: every judgement is a line of judgments.jsonl, and win rates are made of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from localpower import jsonl
from localpower.errors import UserError
from localpower.evals.groups import Group, groups
from localpower.evals.judge import Judge, Judgement
from localpower.evals.plainly import plainly
from localpower.evals.sources import as_text, numbered, pick, read_rows
from localpower.evals.store import JUDGEMENTS, Row, Stored
from localpower.evals.winrate import win_rate
from localpower.grading.thoughts import spoken
from localpower.loaded import ModelInfo

_BUSY = "wait until it has ended: the pairs that it judges need not be judged again"
_HINT = "--reference takes a method, or a file of outputs"
_OUTPUT = ("output", "reference")
_PLACE = ("task", "id", "sample", "label", "against")  # of a judgement


@dataclass(frozen=True, slots=True)
class Match:
    """Our answer to an instruction and the one it is held against. label, against: who wrote them."""

    task: str
    item: str
    sample: int
    label: str
    against: str
    instruction: str
    ours: str
    theirs: str


def matches(run: Stored, against: str | None, say: jsonl.Say = jsonl.silent) -> list[Match]:
    """Every open answer against that of `against`: a method of the run (None: its first) or a file of outputs.

    say: hears of instructions that `against` does not answer. Raises UserError where there are no pairs.
    """
    found: list[Match] = []
    for task in [name for name, task in run.settings["tasks"].items() if task["kind"] == "open"]:
        labels = {group.label: group for group in groups([run]) if group.task == task}
        if not labels:
            continue
        name = against or next(iter(labels))
        if name in labels:
            other = _answers(labels[name])
        elif Path(name).exists():
            other = _outputs(Path(name), list(labels.values()))
        else:
            hint = f"--reference one of {', '.join(labels)}, or a file"
            raise UserError(f"there is no method {name} to compare with", hint)
        players = [group for group in labels.values() if group.label != name]
        asked, answered = {item for group in players for item in group.items}, {item for item, _ in other}
        if asked and not asked & answered:
            raise UserError(
                f"{name} answers none of the {len(asked)} instructions of {task}",
                "an instruction must be the same text in both",
            )
        if asked - answered:
            left_out = f"{len(asked - answered)} of the {len(asked)} instructions of {task}"
            say(f"note: {name} has no answer to {left_out}: they are left out")
        for group in players:
            found += _against(group, name, other)
    if not found:
        raise UserError(f"{run.path} has no open answers of two methods", "eval alpaca makes some")
    return found


def judge_all(
    run: Stored,
    judge: Judge,
    info: ModelInfo,
    found: Sequence[Match],
    heard: Callable[[int, int], None] = lambda _done, _all: None,
) -> int:
    """Judge what this judge has not judged yet, each kept at once; how many pairs were too long for it."""
    known = {(row["judge_sha256"], row["texts_sha256"], *_place(row)) for row in run.judgements}
    missing = [m for m in found if (info.sha256, _texts(m), *_place_of(m)) not in known]
    too_long = 0
    if not missing:
        return 0
    with jsonl.Writer(run.path / JUDGEMENTS, busy=_BUSY) as file:
        for i, match in enumerate(missing):
            said = judge.preference(match.instruction, match.ours, match.theirs)
            if said is None:
                too_long += 1
                continue
            row = {
                **dict(zip(_PLACE, _place_of(match), strict=True)),
                "judge": info.name,
                "judge_sha256": info.sha256,
                "first": said.first,
                "second": said.second,
                "texts_sha256": _texts(match),
                "length_ours": len(match.ours),
                "length_theirs": len(match.theirs),
            }
            file.add(row)
            run.judgements.append(row)
            heard(i + 1, len(missing))
    return too_long


def judged(runs: Sequence[Stored], task: str) -> list[dict[str, Any]]:
    """Win rates by judge and pair. Several samples of an instruction count as one, their mean."""
    found: dict[tuple[str, str, str, str], dict[str, dict[tuple[int, str], Row]]] = {}
    for run in runs:
        for row in run.judgements:
            if row["task"] == task:
                place = (str(run.path), row["label"], row["against"], row["judge"])
                items = found.setdefault(place, {}).setdefault(row["id"], {})
                items[row["sample"], row["judge_sha256"]] = row  # the newest
    return [
        {
            "run": path,
            "label": label,
            "against": against,
            "judge": judge,
            **_rate([list(rows.values()) for rows in items.values()]),
        }
        for (path, label, against, judge), items in found.items()
    ]


def _rate(items: Sequence[Sequence[Row]]) -> dict[str, Any]:
    """Of an instruction's pairs those on which the judge contradicts itself are dropped before the mean is taken."""
    kept = [[row for row in rows if not Judgement(row["first"], row["second"]).disagrees] for rows in items]
    names = ("first", "second", "length_ours", "length_theirs")
    means = [
        {name: fmean(row[name] for row in some or every[:1]) for name in names}
        for some, every in zip(kept, items, strict=True)
    ]
    judgements = [Judgement(mean["first"], mean["second"]) for mean in means]
    lengths = [(round(mean["length_ours"]), round(mean["length_theirs"])) for mean in means]
    return dict(plainly(win_rate(judgements, lengths)))


def _against(group: Group, name: str, other: Mapping[tuple[str, int], str]) -> Iterator[Match]:
    for item, rows in group.items.items():
        for row in rows:
            theirs = other.get((item, row["sample"]), other.get((item, 0)))
            if theirs is not None:
                question = group.run.problems[group.task, item]["question"]
                ours = group.run.spoken(row)
                yield Match(group.task, item, row["sample"], group.label, name, question, ours, theirs)


def _answers(group: Group) -> dict[tuple[str, int], str]:
    return {(row["id"], row["sample"]): group.run.spoken(row) for row in group.rows}


def _outputs(path: Path, players: Sequence[Group]) -> dict[tuple[str, int], str]:
    """The outputs of a file, found by their instructions. Raises UserError for two that differ to one instruction."""
    outputs: dict[str, str] = {}
    for row, place, _ in numbered(read_rows(path, _HINT), path.name):
        instruction, output = as_text(row, ("instruction", "prompt"), place), pick(row, _OUTPUT, place)
        if not isinstance(output, str):
            raise UserError(f"{place} has no text in {' or '.join(_OUTPUT)}")
        output = spoken(output)
        if outputs.setdefault(instruction, output) != output:
            raise UserError(f"{place} answers an instruction again, and otherwise", "keep one answer to each")
    asked = [(item, group.run.problems[group.task, item]) for group in players for item in group.items]
    questions = {item: problem["question"] for item, problem in asked}
    return {(item, 0): outputs[question] for item, question in questions.items() if question in outputs}


def _texts(match: Match) -> str:
    """Of both answers: a file of outputs may hold others the next time."""
    return hashlib.sha256(json.dumps([match.ours, match.theirs]).encode()).hexdigest()


def _place(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in _PLACE)


def _place_of(match: Match) -> tuple[Any, ...]:
    return match.task, match.item, match.sample, match.label, match.against
