"""The corpus of lab-tools: the fourth family, its authors, and the shape of its network. Design: models/LAB.md."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
from network import Shape, encode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from localpower.lab.problems import LEVELS, Problem
from localpower.lab.products import calculated, draw_product

SHAPE = Shape(width=96, layers=4, heads=3, hidden=256, alphabet="0123456789*+=>?[]")
BOS, EOS = len(SHAPE.alphabet), len(SHAPE.alphabet) + 1
SHARES = {"guess": 0.49, "claim": 0.49, "tool": 0.02}  # of authors; the tool is what few of them use
_SLIP = 0.2  # of calls, by authors who use the tool: they call something else, or nothing that can be read


def write(problem: Problem, rng: np.random.Generator) -> str:
    """An answer by a random author.

    guess: `>24xxxx`, the first digit or two right, the rest anything. claim: the problem again, a guess as its value,
    and the guess copied: `387*642=24xxxx>24xxxx`. tool: a call for every operation, and the last value copied.
    """
    style = str(rng.choice(list(SHARES), p=list(SHARES.values())))
    expression = problem.prompt.removesuffix("?")
    if style == "tool":
        return _with_tool(expression, rng)
    sure = int(rng.integers(1, 3))
    digits = "".join(map(str, rng.integers(0, 10, len(problem.solution) - sure)))
    guess = problem.solution[:sure] + digits
    return f"{expression}={guess}>{guess}" if style == "claim" else f">{guess}"


def value(call: str) -> str:
    """What the calculator gives for a call's text: the value, or `?` for what cannot be read."""
    return calculated(call) or "?"


def _with_tool(expression: str, rng: np.random.Generator) -> str:
    product, _, rest = expression.partition("+")
    said = value(product)
    text = f"[{_slipped(product, rng)}]"
    text += (said := value(text[1:-1]))
    if rest and said != "?":
        call = f"[{_slipped(f'{said}+{rest}', rng)}]"
        text += call + (said := value(call[1:-1]))
    return f"{text}>{said if said != '?' else rng.integers(10, 10**6)}"


def _slipped(call: str, rng: np.random.Generator) -> str:
    """The call; at a rate, one digit of it is another, or its sign is missing."""
    if rng.random() >= _SLIP:
        return call
    if rng.random() < 0.5:
        return re.sub(r"[*+]", "", call, count=1)
    place = int(rng.choice([i for i, character in enumerate(call) if character.isdigit()]))
    return call[:place] + str(rng.integers(10)) + call[place + 1 :]


def page(rng: np.random.Generator) -> tuple[Problem, str]:
    """A training problem of any level, and an answer to it."""
    problem = draw_product(int(rng.choice(LEVELS)), rng, held_out=False)
    return problem, write(problem, rng)


def row(text: str) -> list[int]:
    """Tokens of problem and answer, the begin token in front."""
    return [BOS, *encode(text, SHAPE.alphabet)]
