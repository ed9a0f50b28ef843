"""The graders of mathematics by name: by value (ours), as the paper's, or by math-verify."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol

from localpower.grading.math_verify import MathVerify
from localpower.grading.paper import grade_paper
from localpower.grading.verdicts import Verdict, grade_math


class MathGrader(Protocol):
    """An answer by itself, or one to be found in a completion."""

    def __call__(self, gold: str, *, answer: str | None = None, completion: str | None = None) -> Verdict:
        """The verdict."""


@contextlib.contextmanager
def math_grader(how: str) -> Iterator[MathGrader]:
    """The grader called `how`: value, paper or math-verify, whose process ends with the context.

    Raises UserError when math-verify is not installed.
    """
    if how == "math-verify":
        with MathVerify() as worker:
            yield worker.grade
    else:
        yield grade_paper if how == "paper" else grade_math
