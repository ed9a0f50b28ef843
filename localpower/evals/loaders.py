"""From the rows of the authors' files to problems: which field is what."""

from __future__ import annotations

import hashlib
import re

from localpower.errors import UserError
from localpower.evals.dates import year_in
from localpower.evals.problem import Problem
from localpower.evals.rows import Row
from localpower.evals.sources import Needs, Source, as_text, own_id, rows_of, texts

MATH500 = Needs(
    ("MATH500.jsonl", "MATH500.json", "math500.jsonl", "math500.json", "math_splits/test.jsonl"),
    "github.com/openai/prm800k (prm800k/math_splits/test.jsonl)",
)
HUMANEVAL = Needs(
    ("HumanEval.jsonl.gz", "HumanEval.jsonl", "humaneval.jsonl"),
    "github.com/openai/human-eval (data/HumanEval.jsonl.gz)",
)
GSM8K = Needs(
    ("gsm8k_test.jsonl", "gsm8k.jsonl", "test.jsonl"),
    "github.com/openai/grade-school-math (grade_school_math/data/test.jsonl)",
)
SVAMP = Needs(("SVAMP.json", "svamp.json", "svamp.jsonl"), "github.com/arkilpatel/SVAMP (SVAMP.json)")
MBPP = Needs(
    ("sanitized-mbpp.json", "mbpp_sanitized.jsonl", "mbpp.jsonl", "mbpp.json"),
    "github.com/google-research/google-research (mbpp/sanitized-mbpp.json)",
)
AIME = Needs(
    (
        *("aime.jsonl", "aime.json", "aime.csv", "aime.parquet"),
        *("aime2024.jsonl", "aime_2024.jsonl", "aime2025.jsonl", "aime_2025.jsonl", "aime_2026.jsonl"),
    ),
    "the datasets MathArena/aime_2025, HuggingFaceH4/aime_2024 and their like (any file with problem and answer)",
)
ALPACA = Needs(
    ("alpaca_eval.json", "alpaca_eval.jsonl", "alpaca.json", "alpaca.jsonl"),
    "the AlpacaEval dataset page (alpaca_eval.json; its licence is CC BY-NC 4.0)",
)
_ASIDE = re.compile(r"<<[^<>]*>>")  # a sum for a calculator, in the midst of a sentence
_MBPP_TEST = range(11, 511)  # the authors' test split


def math500(source: Source) -> list[Problem]:
    """Problem and answer in LaTeX; subject or level where the copy has them."""
    return [
        Problem(
            own_id("math500", row, ("id", "unique_id"), i),
            as_text(row, ("problem", "prompt", "question"), place),
            as_text(row, ("answer",), place),
            f"level {row['level']}" if row.get("level") else str(row.get("subject") or ""),
            worked=_worked(row, "solution"),
        )
        for row, place, i in rows_of("math500", MATH500, source)
    ]


def aime(source: Source) -> list[Problem]:
    """Answers are whole numbers from 0 to 999. Raises UserError for others."""
    found = []
    for row, place, i in rows_of("aime", AIME, source):
        answer = as_text(row, ("answer", "Answer"), place).strip()
        if not (answer.isascii() and answer.isdigit() and int(answer) <= 999):
            hint = "AIME answers are whole numbers from 0 to 999"
            raise UserError(f"{place} has the answer {answer!r}", hint)
        text = as_text(row, ("problem", "Problem", "question", "Question"), place)
        worked = _worked(row, "solution", "Solution")
        own = own_id("aime", row, ("id", "ID", "problem_idx"), i)
        said = (*(row.get(name) for name in ("year", "Year", "ID", "url")), place.rpartition(" of ")[2])
        found.append(Problem(own, text, str(int(answer)), worked=worked, date=year_in(*said)))
    return found


def gsm8k(source: Source) -> list[Problem]:
    """The number after the marks, where the answer is the authors' whole solution; that without its <<2*3=6>>."""
    found = []
    for row, place, i in rows_of("gsm8k", GSM8K, source):
        working, marks, number = as_text(row, ("answer",), place).rpartition("####")
        worked = f"{_ASIDE.sub('', working)}{marks}{number}" if marks else ""
        text, gold = as_text(row, ("question", "problem"), place), number.strip().replace(",", "")
        found.append(Problem(own_id("gsm8k", row, ("id",), i), text, gold, worked=worked))
    return found


def svamp(source: Source) -> list[Problem]:
    """Body and question joined by what the sentence needs; 51.0 is 51."""
    found = []
    for row, place, i in rows_of("svamp", SVAMP, source):
        if row.get("Body") is None:
            text = as_text(row, ("problem", "question"), place)
        else:
            body, question = str(row["Body"]).strip(), as_text(row, ("Question",), place).strip()
            between = "" if body.endswith((".", "?", "!", ",")) else ", " if question[:1].islower() else ". "
            text = f"{body}{between or ' '}{question}"
        gold = re.sub(r"\.0+$", "", as_text(row, ("Answer", "answer"), place).strip())
        group = str(row.get("Type") or row.get("type") or "")
        found.append(Problem(own_id("svamp", row, ("ID", "id"), i), text, gold, group))
    return found


def humaneval(source: Source) -> list[Problem]:
    """Gold: what the sandbox needs."""
    names = ("prompt", "entry_point", "test")
    return [
        Problem(
            own_id("humaneval", row, ("task_id", "id"), i),
            as_text(row, ("prompt",), place),
            {name: as_text(row, (name,), place) for name in names},
        )
        for row, place, i in rows_of("humaneval", HUMANEVAL, source)
    ]


def mbpp(source: Source) -> list[Problem]:
    """The authors' test split, ids 11 to 510; a file without such ids is taken whole."""
    found = []
    for row, place, i in rows_of("mbpp", MBPP, source):
        tests, imports = row.get("test_list"), row.get("test_imports") or []
        setup = row.get("test_setup_code") or ""
        if not texts(tests) or not tests or not texts(imports) or not isinstance(setup, str):
            wrong = "no test_list of programs, or test_imports or a test_setup_code that are none"
            raise UserError(f"{place} has {wrong}")
        gold: dict[str, str | list[str]] = {"test_list": tests, "test_imports": imports}
        if setup:  # most rows have none, and runs of files without it go on
            gold["test_setup_code"] = setup
        text = as_text(row, ("prompt", "text"), place)
        found.append(Problem(own_id("mbpp", row, ("task_id", "id"), i), text, gold))
    tested = [problem for problem in found if _number(problem.id) in _MBPP_TEST]
    return tested or found


def alpaca(source: Source) -> list[Problem]:
    """Bare instructions; the file has no ids, so the text gives one."""
    found = []
    for row, place, _ in rows_of("alpaca", ALPACA, source):
        text = as_text(row, ("instruction", "prompt"), place)
        sha256 = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        name = str(row.get("id") or f"alpaca/{sha256[:12]}")
        found.append(Problem(name, text, None, str(row.get("dataset") or row.get("category") or "")))
    return list({problem.id: problem for problem in found}.values())  # an instruction may be listed twice


def _worked(row: Row, *names: str) -> str:
    """The expert's answer in the first of these fields that holds a text; "": none does."""
    texts = (row.get(name) for name in names)
    return next((text for text in texts if isinstance(text, str) and text.strip()), "")


def _number(name: str) -> int | None:
    digits = name.rpartition("/")[2]
    return int(digits) if digits.isascii() and digits.isdigit() else None
