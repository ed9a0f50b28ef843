"""IFEval (Zhou et al. 2023, arXiv 2311.07911): instructions whose following a program checks."""

from __future__ import annotations

from typing import Any

from localpower.errors import UserError
from localpower.evals.forms import OPEN, Forms
from localpower.evals.problem import Problem
from localpower.evals.rows import Row
from localpower.evals.sources import Needs, Source, as_text, own_id, rows_of, texts
from localpower.evals.task import Task
from localpower.grading.instructions import known, missing

NEEDS = Needs(
    ("ifeval_input_data.jsonl", "input_data.jsonl", "ifeval.jsonl", "ifeval.parquet"),
    "github.com/google-research/google-research (instruction_following_eval/data/input_data.jsonl)",
    folder="IFEval",
)


def problems(source: Source) -> list[Problem]:
    """A prompt with its instructions; grouped by the first one's kind. Raises UserError for one without a checker."""
    found = []
    for row, place, i in rows_of("ifeval", NEEDS, source):
        prompt, rules = as_text(row, ("prompt",), place), _rules(row, place)
        group = rules[0]["id"].partition(":")[0]
        own, gold = own_id("ifeval", row, ("key", "id"), i), {"prompt": prompt, "rules": rules}
        found.append(Problem(own, prompt, gold, group))
    return found


def _rules(row: Row, place: str) -> list[dict[str, Any]]:
    names, given = row.get("instruction_id_list"), row.get("kwargs")
    if not texts(names) or not names:
        raise UserError(f"{place} has no instruction_id_list of names")
    if not isinstance(given, list) or len(given) != len(names) or not all(isinstance(a, dict) for a in given):
        raise UserError(f"{place} has no kwargs, a list of objects, one for each instruction")
    found = []
    for name, arguments in zip(names, given, strict=True):
        if not known(name):
            raise UserError(f"{place} has the instruction {name}, for which there is no checker")
        said = {key: value for key, value in arguments.items() if value is not None}  # parquet has all of all
        if lost := missing(name, said):
            raise UserError(f"{place} has the instruction {name} without {', '.join(lost)}")
        found.append({"id": name, "arguments": said})
    return found


FORMS: Forms = {"chat": OPEN["chat"], "plain": OPEN["plain"], "authors": OPEN["chat"]}
TASK = Task(
    *("ifeval", "instructions", problems, FORMS, 1280),
    "instructions that are checked by rules",
    licence="Apache-2.0",
    needs=NEEDS,
    size=541,
    noise="Sentences and languages are told by plain rules, where the authors use packages: some verdicts differ.",
)
