"""Who wrote the corpus: authors of mixed quality, each with ways of working and slipping. Design: models/LAB.md."""

from __future__ import annotations

import re

import numpy as np

from localpower.grading.countdown import OPERATIONS as STEPS
from localpower.lab.problems import FAMILIES, LETTERS, LEVELS, Problem, apply, draw

# Shares of careful, hurried and guessing authors by family. `sum` is the trap for low temperature: careful work is
# the most likely single answer, and most authors guess. The other two are plain.
SHARES = {"sum": (0.40, 0.15, 0.45), "countdown": (0.55, 0.30, 0.15), "chain": (0.60, 0.25, 0.15)}
SLIP = {"careful": 0.02, "hurried": 0.10}  # a step


def write(problem: Problem, rng: np.random.Generator) -> str:
    """An answer by a random author."""
    style = str(rng.choice(["careful", "hurried", "guess"], p=SHARES[problem.family]))
    return {"sum": _sum, "countdown": _countdown, "chain": _chain}[problem.family](problem, style, rng)


def page(rng: np.random.Generator) -> tuple[Problem, str]:
    """A training problem of any family and level, and an answer to it."""
    family = str(rng.choice(FAMILIES))
    problem = draw(family, int(rng.choice(LEVELS)), rng, held_out=False)
    return problem, write(problem, rng)


def _slipped(value: int, style: str, rng: np.random.Generator) -> int:
    """The value, or at the style's rate a neighbour of it."""
    if rng.random() < SLIP[style]:
        return max(value + int(rng.choice([-10, -1, 1, 10])), 0)
    return value


def _sum(problem: Problem, style: str, rng: np.random.Generator) -> str:
    a, sign, b = re.fullmatch(r"(\d+)([+*])(\d+)\?", problem.prompt).groups()
    if style == "guess":  # right in front, anything behind: many wordings of a number, each of them rare
        truth = problem.solution
        sure = int(rng.integers(0, 2)) if len(truth) < 4 else int(rng.integers(1, 3))
        tail = "".join(map(str, rng.integers(0, 10, len(truth) - sure)))
        return f">{truth[:sure]}{tail}"
    width = max(len(a), len(b))
    carry, digits, lines = 0, "", []
    for i in range(1, width + 1):
        x = int(a[-i]) if i <= len(a) else 0
        y = int(b) if sign == "*" else int(b[-i])
        value = _slipped((x * y if sign == "*" else x + y) + carry, style, rng)
        shown = f"{x}{sign}{y}" + (f"+{carry}" if carry else "")
        lines.append(f"{shown}={value}" if style == "careful" else f"{value}")
        digits, carry = str(value % 10) + digits, value // 10
    result = str(int((str(carry) if carry else "") + digits))
    return f"{','.join(lines)}>{result}"


def _countdown(problem: Problem, style: str, rng: np.random.Generator) -> str:
    if style == "guess":
        numbers = problem.prompt.partition(":")[0].split(",")
        rng.shuffle(numbers)
        signs = [str(s) for s in rng.choice(["+", "-", "*"], len(numbers) - 1)]
        return ">" + numbers[0] + "".join(s + n for s, n in zip(signs, numbers[1:], strict=True))
    if style == "hurried":  # the right expression, or one sign mistaken
        expression = problem.solution
        places = [i for i, c in enumerate(expression) if c in "+-*"]
        if rng.random() < 0.35:
            i = int(rng.choice(places))
            expression = expression[:i] + str(rng.choice(["+", "-", "*"])) + expression[i + 1 :]
        return f">{expression}"
    parts = re.findall(r"\d+|[+*-]", problem.solution)
    value, lines = int(parts[0]), []
    for sign, number in zip(parts[1::2], parts[2::2], strict=True):
        after = _slipped(STEPS[sign](value, int(number)), style, rng)
        lines.append(f"{value}{sign}{number}={after}")
        value = after
    return f"{','.join(lines)}>{problem.solution}"


def _chain(problem: Problem, style: str, rng: np.random.Generator) -> str:
    text, _, operations = problem.prompt.removesuffix("?").partition("|")
    if style == "guess":
        letters = list(text)
        rng.shuffle(letters)
        return ">" + "".join(letters)
    lines = []
    for operation in operations:
        text = apply(operation, text)
        if rng.random() < SLIP[style]:
            i = int(rng.integers(len(text)))
            text = text[:i] + str(rng.choice(list(LETTERS))) + text[i + 1 :]
        lines.append(text)
    if style == "hurried":  # every other step in the head
        lines = lines[1::2]
    return ",".join(lines) + f">{text}"
