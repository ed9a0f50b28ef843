"""Programs that are judged by cases: what they write for what they read, or what a function returns.

Each case runs in a process of its own, so that none sees what another left, and ends at the first that fails.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localpower.grading.fences import fenced
from localpower.grading.packed_cases import unpacked
from localpower.grading.program import program
from localpower.grading.sandbox import passes
from localpower.grading.syntax import fault, longest

_DRIVER = Path(__file__).with_name("cases_driver.py")
_LONGEST = 200_000  # characters of an answer in which a program is looked for


@dataclass(frozen=True, slots=True)
class Cases:
    """passed: all of them. program: as it was run."""

    program: str
    passed: bool


def grade_cases(
    task: Mapping[str, Any], completion: str, seconds: float, packages: Mapping[str, str]
) -> Cases | None:
    """Run a program on all cases, each for at most `seconds`. None: there is no program in the completion.

    task: cases ({"input", "output"} each), packed (more of them, as LiveCodeBench packs them) and call, the name of the
    function, "" for a program that reads stdin. Raises ValueError for packed cases that cannot be read.
    """
    source = _program(completion, task["call"])
    if source is None:
        return None
    driver = _DRIVER.read_text("utf-8")
    for case in [*task["cases"], *unpacked(task.get("packed") or "")]:
        call = f"\njudge({source!r}, {case!r}, {task['call']!r})\n"
        if not passes(driver + call, seconds, packages=packages):
            return Cases(source, passed=False)
    return Cases(source, passed=True)


def _program(completion: str, call: str) -> str | None:
    """The last fenced block that is a program, or the part of the text that is one; of a function, what defines it."""
    text = re.sub(r"\r\n?", "\n", completion[:_LONGEST])
    if call:
        return program("", text, "Solution") or program("", text, call)
    blocks = [block for block in fenced(text) if block.strip()]
    if blocks:
        return next((each for each in reversed(blocks) if fault(each) is None), blocks[-1])
    whole = longest(text)
    return whole if whole.strip() else None
