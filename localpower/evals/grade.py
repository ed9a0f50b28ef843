"""From a problem and an answer to a verdict, by the task's kind and the chosen grader."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from localpower.grading.verdicts import (
    NONE,
    Verdict,
    grade_code,
    grade_countdown,
    grade_letter,
    grade_math,
    grade_number,
    grade_short,
)
from localpower.lab import problems as lab

if TYPE_CHECKING:
    from localpower.grading.math_verify import MathVerify

VERSION = 1  # of our own rules: raised whenever one of them changes a verdict
UNGRADED = Verdict("ungraded", None)  # code that has not been run, and answers that only a judge compares


class Grader:
    """Grades answers of every kind but code that may not be run. Close it: math-verify has a process.

    how: of mathematics, as in --grader. run_code: run programs, each for at most `seconds`.
    """

    def __init__(self, how: str = "value", *, run_code: bool = False, seconds: float = 10.0) -> None:
        """Raises UserError when math-verify is not installed."""
        self.how, self.run_code, self._seconds = how, run_code, seconds
        self._math_verify: MathVerify | None = None
        if how == "math-verify":
            from localpower.grading.math_verify import MathVerify, require

            require()
            self._math_verify = MathVerify()

    def __enter__(self) -> Grader:
        return self

    def __exit__(self, *_: object) -> None:
        if self._math_verify is not None:
            self._math_verify.close()

    def name(self, kind: str) -> str:
        """Grader and version, for the record."""
        how = self.how if kind == "math" else "value"
        return how if how == "math-verify" else f"{how}/{VERSION}"

    def grade(self, kind: str, gold: Any, text: str) -> Verdict:
        """The verdict on an answer's text."""
        if kind == "open" or (kind == "code" and not self.run_code):
            return UNGRADED
        if not text.strip():
            return NONE
        if kind == "code":
            return grade_code(gold, text, self._seconds)
        return self._by_kind()[kind](gold, text)

    def _by_kind(self) -> dict[str, Callable[[Any, str], Verdict]]:
        return {
            "math": self._math,
            "number": lambda gold, text: grade_number(gold, completion=text),
            "letter": lambda gold, text: grade_letter(gold, completion=text),
            "short": lambda gold, text: grade_short(gold["form"], gold["answers"], text),
            "countdown": lambda gold, text: grade_countdown(gold["numbers"], gold["target"], text),
            "lab": _lab,
        }

    def _math(self, gold: str, text: str) -> Verdict:
        if self.how == "paper":
            from localpower.grading.paper import grade_paper

            return grade_paper(gold, completion=text)
        if self._math_verify is not None:
            return self._math_verify.grade(gold, completion=text)
        return grade_math(gold, completion=text)


def _lab(gold: dict[str, str], text: str) -> Verdict:
    problem = lab.Problem(gold["family"], 0, gold["prompt"], gold["solution"])
    _, mark, result = text.rpartition(">")
    if not mark:
        return NONE
    return Verdict("right" if lab.verify(problem, text) else "wrong", result)
