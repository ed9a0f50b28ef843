"""HumanEval+ and MBPP+ (Liu et al. 2023, arXiv 2305.01210): the old programs with many more tests.

Their tests import numpy, which localpower has anyway: it is allowed to them, and so to the programs.
"""

from __future__ import annotations

import ast
import re
from typing import Any

from localpower.errors import UserError
from localpower.evals.forms import AFTER_CODE, AUTHORS, HUMANEVAL, IN_BLOCK, Form, Forms
from localpower.evals.problem import Problem
from localpower.evals.rows import Row
from localpower.evals.sources import Needs, Source, as_text, own_id, rows_of, texts
from localpower.evals.task import Task

HUMANEVAL_PLUS = Needs(
    (
        *("HumanEvalPlus-OriginFmt.jsonl.gz", "HumanEvalPlus-OriginFmt.jsonl"),
        *("humanevalplus.parquet", "humanevalplus.jsonl"),
    ),
    "github.com/evalplus/humanevalplus_release (HumanEvalPlus-OriginFmt.jsonl.gz), or the dataset "
    "evalplus/humanevalplus on the Hugging Face hub",
    folder="humanevalplus",
)
MBPP_PLUS = Needs(
    ("mbppplus.parquet", "mbppplus.jsonl", "mbppplus.json"),
    "the dataset evalplus/mbppplus on the Hugging Face hub (data/test-*.parquet)",
    folder="mbppplus",
)
_PACKAGES = ["numpy"]


def humaneval_plus(source: Source) -> list[Problem]:
    """As HumanEval, with the tests of EvalPlus. Raises UserError."""
    found = []
    for row, place, i in rows_of("humaneval-plus", HUMANEVAL_PLUS, source):
        test = _test(row, place, "HumanEvalPlus-OriginFmt.jsonl.gz")
        gold: dict[str, Any] = {name: as_text(row, (name,), place) for name in ("prompt", "entry_point")}
        text, own = gold["prompt"], own_id("humaneval-plus", row, ("task_id", "id"), i)
        gold |= {"test": test, "packages": _PACKAGES}
        found.append(Problem(own, text, gold, authors=_instruct(text)))
    return found


def mbpp_plus(source: Source) -> list[Problem]:
    """As MBPP, with the tests of EvalPlus; the function is the one of the authors' program that the tests call."""
    found = []
    for row, place, i in rows_of("mbpp-plus", MBPP_PLUS, source):
        test = _test(row, place, "the dataset evalplus/mbppplus")
        given = row.get("test_list")
        if not texts(given) or not given:
            raise UserError(f"{place} has no test_list of programs")
        code = as_text(row, ("code", "canonical_solution"), place)
        name = row.get("entry_point") or _called(code, given[0])
        if not isinstance(name, str) or not name:
            raise UserError(f"{place} has a test_list that calls no function of its code")
        gold = {"prompt": "", "entry_point": name, "test": test, "whole": True, "packages": _PACKAGES}
        text, own = as_text(row, ("prompt", "text"), place), own_id("mbpp-plus", row, ("task_id", "id"), i)
        told, asked = f"{text}\nThe code must pass this test:\n{given[0]}", f'"""\n{text}\n{given[0]}\n"""\n'
        found.append(Problem(own, told, gold, authors=_instruct(asked)))
    return found


def _test(row: Row, place: str, where: str) -> str:
    """The tests as a program. Raises UserError for a file that has inputs alone."""
    if row.get("test") is None and (row.get("plus_input") is not None or row.get("base_input") is not None):
        raise UserError(f"{place} has inputs and no tests", f"{where} has the tests as programs")
    return as_text(row, ("test",), place)


def _called(code: str, test: str) -> str:
    """The function of a program that a test calls; "" for none."""
    try:
        body = ast.parse(code).body
        defined = [node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    except (SyntaxError, ValueError, RecursionError):
        return ""
    calls = re.findall(r"(?<![\w.])([A-Za-z_]\w*)\s*\(", test)
    return next((name for name in calls if name in defined), "")


def _instruct(text: str) -> str:
    """As EvalPlus asks chat models."""
    return (
        "Please provide a self-contained Python script that solves the following problem in a markdown code block:\n"
        f"```\n{text.strip()}\n```"
    )


_HUMANEVAL_FORMS: Forms = {**HUMANEVAL, "authors": AUTHORS}
_MBPP_FORMS: Forms = {
    "chat": Form(lambda p: f"{p.text}\n{IN_BLOCK}", template=True),
    "plain": Form(lambda p: f'"""\n{p.text}\n"""\n', stops=('\n"""', *AFTER_CODE[2:])),
    "authors": AUTHORS,
}
_NOISE = "Tests were taken out where the authors' own program fails; a few descriptions still allow several readings."
TASKS = (
    Task(
        *("humaneval-plus", "code", humaneval_plus, _HUMANEVAL_FORMS, 512),
        "HumanEval with more tests",
        licence="Apache-2.0",
        needs=HUMANEVAL_PLUS,
        size=164,
        noise="HumanEval/32 has tests in this format that its own solution may fail. " + _NOISE,
    ),
    Task(
        *("mbpp-plus", "code", mbpp_plus, _MBPP_FORMS, 512),
        "MBPP with more tests",
        licence="Apache-2.0",
        needs=MBPP_PLUS,
        size=378,
        noise=_NOISE,
    ),
)
