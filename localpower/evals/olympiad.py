"""Competition mathematics with answers in LaTeX: OlympiadBench (He et al. 2024, arXiv 2402.14008) and HMMT."""

from __future__ import annotations

from typing import Any

from localpower.errors import UserError
from localpower.evals.dates import year_in
from localpower.evals.forms import AUTHORS, MATH, Forms
from localpower.evals.problem import Problem
from localpower.evals.rows import Row
from localpower.evals.sources import Needs, Source, as_text, own_id, rows_of, texts
from localpower.evals.task import Task

OLYMPIADBENCH = Needs(
    (*(f"OE_TO_maths_en_COMP.{kind}" for kind in ("parquet", "json", "jsonl")), "olympiadbench.jsonl"),
    "github.com/OpenBMB/OlympiadBench, or the dataset Hothan/OlympiadBench on the Hugging Face hub "
    "(OE_TO_maths_en_COMP)",
    folder="OlympiadBench",
    config="OE_TO_maths_en_COMP",
)
HMMT = Needs(
    ("hmmt.parquet", "hmmt.jsonl", "hmmt.json", "hmmt.csv", "hmmt_feb_2025.jsonl", "hmmt_feb_2025.parquet"),
    "the datasets MathArena/hmmt_feb_2025 and its like on the Hugging Face hub",
    folder="hmmt_feb_2025",
)
_TYPES = {"Numerical": "a numerical value"} | {
    name: f"an {name.lower()}" for name in ("Expression", "Equation", "Interval")
}


def olympiadbench(source: Source) -> list[Problem]:
    """Open-ended problems without pictures, by subfield; several right answers are one list. Raises UserError."""
    found = []
    for row, place, i in rows_of("olympiadbench", OLYMPIADBENCH, source):
        if row.get("image_1") is not None:
            continue
        answers = row.get("final_answer")
        answers = [answers] if isinstance(answers, str) else answers
        if not texts(answers) or not answers or not all(each.strip() for each in answers):
            raise UserError(f"{place} has no final_answer, a list of texts: proofs are not graded")
        question = as_text(row, ("question",), place)
        context = str(row.get("context") or "")
        text = f"{context}\n{question}" if context else question
        found.append(
            Problem(
                own_id("olympiadbench", row, ("id",), i),
                text,
                ", ".join(each.strip().strip("$") for each in answers),
                str(row.get("subfield") or ""),
                worked=_solution(row),
                authors=f"{_asked(row)}\n{text}",
            )
        )
    if not found:
        raise UserError("olympiadbench reads problems without pictures, and this file has none")
    return found


def _solution(row: Row) -> str:
    said = row.get("solution")
    return said[0] if texts(said) and said else said if isinstance(said, str) else ""


def _asked(row: Row) -> str:
    """What the authors say before a problem."""
    several, unit = bool(row.get("is_multiple_answer")), bool(row.get("unit"))
    box = r"\boxed{multiple answers connected with commas}" if several else r"\boxed{answer}"
    after = r", note that the unit of the answer should not be included in \boxed{}" if unit else ""
    return (
        f"The following is an open-ended problem from an International {_subject(row)} competition. "
        f"{_kind(row.get('answer_type'), several=several)}Please calculate the answer according to the given "
        "requirements and the information provided. Please use LaTeX format to represent the variables and formulas "
        f'used in the solution process and results. Please end your solution with "So the final answer is {box}'
        f'{"(unit)" if unit else ""}." and give the result explicitly{after}.'
    )


def _subject(row: Row) -> str:
    return "Physics" if str(row.get("subject")).lower() == "physics" else "Math"


def _kind(said: Any, *, several: bool) -> str:
    """What kind of answer is wanted, as the authors say it; nothing where a part of it is another kind."""
    parts = [part.strip() for part in str(said or "").split(",")]
    if parts == [""] or "Need_human_evaluate" in parts or "Tuple" in parts:
        return ""
    names = [_TYPES.get(part, "") for part in parts]
    if not all(names):
        return ""
    if not several:
        return f"The answer of The problem should be {names[0]}. "
    if len(set(names)) == 1:
        return f"The problem has multiple answers, each of them should be {names[0]}. "
    return f"The problem has multiple answers, with the answers in order being {', '.join(names)}. "


def hmmt(source: Source) -> list[Problem]:
    """Problem and answer in LaTeX, by kind of problem. Raises UserError."""
    found = []
    for row, place, i in rows_of("hmmt", HMMT, source):
        kinds = row.get("problem_type")
        group = ", ".join(kinds) if texts(kinds) else str(kinds or "")
        text = as_text(row, ("problem", "Problem", "question"), place)
        answer = as_text(row, ("answer", "Answer"), place).strip().strip("$")
        found.append(
            Problem(
                own_id("hmmt", row, ("id", "problem_idx"), i),
                text,
                answer,
                group,
                worked=_solution(row),
                authors=rf"Put your final answer within \boxed{{}}.{chr(10)}{chr(10)}{text}",
                date=year_in(row.get("year"), row.get("source"), place.rpartition(" of ")[2]),
            )
        )
    return found


FORMS: Forms = {**MATH, "authors": AUTHORS}
TASKS = (
    Task(
        *("olympiadbench", "math", olympiadbench, FORMS, 4096),
        "olympiad mathematics in English",
        licence="Apache-2.0",
        needs=OLYMPIADBENCH,
        size=674,
        noise="A few numbers are right within a tolerance (field error), which is not used here: the value counts.",
    ),
    Task(
        *("hmmt", "math", hmmt, FORMS, 4096),
        "Harvard-MIT tournament of mathematics",
        licence="CC-BY-NC-SA-4.0",
        needs=HMMT,
        size=30,
        noise="None is known; 30 problems tell apart only what differs by about a fifth.",
    ),
)
