"""Grades as Hugging Face's math-verify does, in a process of its own that can be killed.

A process, because sympy can run for ever or take all memory on a hostile answer, and because the package's own
time limits work in a main thread only. Needs the extra `math`; nothing else of localpower imports the package.
"""

from __future__ import annotations

import importlib.util

from localpower.errors import UserError
from localpower.grading.thoughts import of_what_is_said
from localpower.grading.verdicts import NONE, Verdict
from localpower.subprocesses import ChildError, Worker

_MEMORY = 4 << 30
_START_S = 60.0  # sympy's import, from a cold disk
_INSTALL = "pip install 'localpower[math]'"


def require() -> None:
    """Raises UserError where the package is not installed."""
    if importlib.util.find_spec("math_verify") is None:
        raise UserError("--grader math-verify needs the package math-verify", _INSTALL)


class MathVerify:
    """Owns one worker, started by the first job and again after each that had to be killed or died."""

    def __init__(self) -> None:
        """Raises UserError where the package is not installed."""
        require()
        self._worker = Worker("localpower.grading.math_verify_worker", _MEMORY)
        self._checked = False

    def __enter__(self) -> MathVerify:
        return self

    def __exit__(self, *_: object) -> None:
        self._worker.close()

    @of_what_is_said
    def grade(
        self, gold: str, *, answer: str | None = None, completion: str | None = None, seconds: float = 10.0
    ) -> Verdict:
        """An answer by itself, or one that math-verify finds in a completion.

        A job that takes longer, or that the package or its process dies of, is wrong: math-verify could not tell that
        it is right. What was extracted is then the answer, if that was given. Raises UserError where the package does
        not work.
        """
        if not (answer if answer is not None else completion or "").strip():
            return NONE
        if not self._checked:
            self._check()
        try:
            verdict, extracted = self._worker.ask([gold, answer, completion], seconds)
            return Verdict(verdict, extracted)
        except ChildError:
            return Verdict("wrong", answer)

    def _check(self) -> None:
        """Half is 0.5, unless a parser is missing: then math-verify compares texts and says nothing about it."""
        problem = "it does not know that 1/2 is 0.5; is antlr4-python3-runtime the one it needs?"
        try:
            self._checked = self._worker.ask([r"\frac{1}{2}", "0.5", None], _START_S)[0] == "right"
        except ChildError as error:
            problem = str(error)
        if not self._checked:
            raise UserError(f"math-verify does not work: {problem}", _INSTALL)
