"""From a problem and an answer to a verdict, by the task's kind and the chosen grader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from importlib import metadata
from typing import Any

from localpower.evals.store import Row, Stored
from localpower.grading import verdicts
from localpower.grading.mathematics import math_grader
from localpower.grading.sandbox import isolation
from localpower.grading.thoughts import OPENED, of_what_is_said
from localpower.grading.verdicts import NONE, Verdict
from localpower.lab import problems as lab

VERSION = 3  # of our own rules: raised whenever one of them changes a verdict
UNGRADED = Verdict("ungraded", None)  # code that has not been run, and answers that only a judge compares


class Grader:
    """Grades answers of every kind but code that may not be run. Close it: math-verify has a process.

    how: of mathematics, as in --grader. run_code: run programs, each for at most `seconds`. packages: that these may
    import, with their folders.
    """

    def __init__(
        self,
        how: str = "value",
        *,
        run_code: bool = False,
        seconds: float = 10.0,
        packages: Mapping[str, str] | None = None,
    ) -> None:
        """Raises UserError when math-verify is not installed."""
        self.how, self.run_code, self._seconds, self._packages = how, run_code, seconds, packages or {}
        self._open = ExitStack()
        self._math = self._open.enter_context(math_grader(how))

    def __enter__(self) -> Grader:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def name(self, kind: str) -> str:
        """Grader and version, for the record."""
        return grader_name(self.how, kind)

    def grade(self, kind: str, gold: Any, text: str) -> Verdict:
        """The verdict on an answer's text."""
        if kind == "open" or (kind == "code" and not self.run_code):
            return UNGRADED
        if not text.strip():
            return NONE
        if kind == "code":
            return verdicts.grade_code(gold, text, self._seconds, self._packages)
        return self._by_kind()[kind](gold, text)

    def fields(
        self, kind: str, gold: Any, text: str, *, thinking: bool = False, check: bool | None = None
    ) -> Row:
        """The verdict as an answer's row has it. thinking: the prompt ended where a thought begins.

        check: what the environment says of its state after the answer. It alone judges the kind `state`; any other
        answer is right only where it does not say no.
        """
        found = self._judged(kind, gold, OPENED * thinking + text, check)
        return {
            "verdict": found.verdict,
            "extracted": found.extracted,
            "lenient": found.lenient,
            "grader": self.name(kind),
        }

    def _judged(self, kind: str, gold: Any, text: str, check: bool | None) -> Verdict:
        if kind == "state":
            return NONE if check is None else Verdict("right" if check else "wrong", None)
        found = self.grade(kind, gold, text)
        return replace(found, verdict="wrong") if check is False and found.verdict == "right" else found

    def regrade(self, row: Row, stored: Stored, text: Callable[[Row], str]) -> Row:
        """A stored answer with its verdict anew; a program that may not be run keeps its own."""
        kind = stored.settings["tasks"][row["task"]]["kind"]
        if kind == "code" and not self.run_code:
            return row
        gold = stored.problems[row["task"], row["id"]]["gold"]
        check = (row.get("trace") or {}).get("check")
        fresh = row | self.fields(kind, gold, text(row), thinking=stored.thinking(row), check=check)
        return fresh | {"isolation": " + ".join([isolation(), *self._packages])} if kind == "code" else fresh

    def _by_kind(self) -> dict[str, Callable[[Any, str], Verdict]]:
        return {
            "math": lambda gold, text: self._math(gold, completion=text),
            "number": lambda gold, text: verdicts.grade_number(gold, completion=text),
            "letter": lambda gold, text: verdicts.grade_letter(gold, completion=text),
            "short": lambda gold, text: verdicts.grade_short(gold["form"], gold["answers"], text),
            "choice": lambda gold, text: verdicts.grade_letter(
                gold["answer"], completion=text, last=gold["last"]
            ),
            "phrase": verdicts.grade_phrase,
            "grid": verdicts.grade_grid,
            "instructions": lambda gold, text: verdicts.grade_instructions(
                gold["rules"], gold["prompt"], text
            ),
            "countdown": lambda gold, text: verdicts.grade_countdown(gold["numbers"], gold["target"], text),
            "lab": _lab,
        }


def grader_name(how: str, kind: str) -> str:
    """What grades answers of a kind when --grader is `how`, with its version."""
    how = how if kind == "math" else "value"
    package = f"{metadata.version(how)}+" if how == "math-verify" else ""  # thoughts are left out by us
    return f"{how}/{package}{VERSION}"


@of_what_is_said
def _lab(gold: dict[str, str], completion: str) -> Verdict:
    problem = lab.Problem(gold["family"], 0, gold["prompt"], gold["solution"])
    _, mark, result = completion.rpartition(">")
    if not mark:
        return NONE
    return Verdict("right" if lab.verify(problem, completion) else "wrong", result)
