"""The page that the laboratory's careful author would write for a problem, without a slip: the expert's answer.

The authors whose pages the models learned from are in scripts/lab/authors.py; a test holds the two together.
"""

from __future__ import annotations

import re

from localpower.grading.countdown import OPERATIONS as STEPS
from localpower.lab.problems import Problem, apply


def worked(problem: Problem) -> str:
    """Every step, then the result."""
    return {"sum": _sum, "countdown": _countdown, "chain": _chain}[problem.family](problem)


def _sum(problem: Problem) -> str:
    """Digit by digit from the right, with what is carried."""
    a, sign, b = re.split(r"([+*])", problem.prompt.removesuffix("?"))
    carry, lines = 0, []
    for i in range(1, max(len(a), len(b)) + 1):
        x, y = int(a[-i]) if i <= len(a) else 0, int(b) if sign == "*" else int(b[-i])
        value = STEPS[sign](x, y) + carry
        lines.append(f"{x}{sign}{y}" + (f"+{carry}" if carry else "") + f"={value}")
        carry = value // 10
    return f"{','.join(lines)}>{problem.solution}"


def _countdown(problem: Problem) -> str:
    """The expression of the solution, from left to right."""
    parts = re.findall(r"\d+|[+*-]", problem.solution)
    value, lines = int(parts[0]), []
    for sign, number in zip(parts[1::2], parts[2::2], strict=True):
        after = STEPS[sign](value, int(number))
        lines.append(f"{value}{sign}{number}={after}")
        value = after
    return f"{','.join(lines)}>{problem.solution}"


def _chain(problem: Problem) -> str:
    """The letters after every operation."""
    text, _, operations = problem.prompt.removesuffix("?").partition("|")
    lines = []
    for operation in operations:
        text = apply(operation, text)
        lines.append(text)
    return f"{','.join(lines)}>{text}"
