"""Three families of problems, graded in difficulty, and their verifiers. A verifier looks at the answer alone.

sum        `37+85?` and `37*8?`: a number.
countdown  `3,5,7:22?`: an expression that uses every number once and equals the target.
chain      `cab|rsd?`: the letters after every operation in turn (r reverse, s swap the first two, d drop the last,
           u repeat the first, n every letter's successor, e before a).
An answer is text that ends in `>` and the result; what comes before it is working, which nobody grades.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from localpower.grading.countdown import OPERATIONS as STEPS
from localpower.grading.countdown import solves

FAMILIES = ("sum", "countdown", "chain")
LEVELS = (1, 2, 3, 4, 5)
LETTERS = "abcde"
OPERATIONS = "rsdun"
_LONGEST = 40  # characters of an expression
_HELD_OUT = 8  # one problem in so many is for evaluation, whoever draws it


@dataclass(frozen=True, slots=True)
class Problem:
    """prompt: as the model reads it. level: 1 is easiest. solution: the result, for countdown one of them."""

    family: str
    level: int
    prompt: str
    solution: str

    @property
    def held_out(self) -> bool:
        """Whether no model may see this problem in training: a function of the prompt alone."""
        return hashlib.sha256(self.prompt.encode()).digest()[0] % _HELD_OUT == 0


def draw(family: str, level: int, rng: np.random.Generator, *, held_out: bool) -> Problem:
    """A random problem of one family and level, for training or held out."""
    make = {"sum": _sum, "countdown": _countdown, "chain": _chain}[family]
    while True:
        problem = make(level, rng)
        if problem.held_out == held_out:
            return problem


def verify(problem: Problem, answer: str) -> bool:
    """Whether the text after the last `>` solves the problem."""
    _, mark, result = answer.rpartition(">")
    if not mark:
        return False
    if problem.family == "countdown":
        numbers, _, target = problem.prompt.removesuffix("?").partition(":")
        plain = len(result) <= _LONGEST and set(result) <= set("0123456789+-*()")
        return plain and solves(result, [int(number) for number in numbers.split(",")], int(target))
    return result == problem.solution


def apply(operation: str, text: str) -> str:
    """One operation of a chain."""
    if operation == "r":
        return text[::-1]
    if operation == "s":
        return text[1::-1] + text[2:]
    if operation == "d":
        return text[:-1]
    if operation == "u":
        return text[0] + text
    return "".join(LETTERS[(LETTERS.index(letter) + 1) % len(LETTERS)] for letter in text)


def _sum(level: int, rng: np.random.Generator) -> Problem:
    """Sums of two, three and four digits; products of two and three digits with one."""
    digits, product = {1: (2, False), 2: (2, True), 3: (3, False), 4: (3, True), 5: (4, False)}[level]
    a = int(rng.integers(10 ** (digits - 1), 10**digits))
    b = int(rng.integers(2, 10) if product else rng.integers(10 ** (digits - 1), 10**digits))
    sign = "*" if product else "+"
    return Problem("sum", level, f"{a}{sign}{b}?", str(a * b if product else a + b))


def _countdown(level: int, rng: np.random.Generator) -> Problem:
    """Two numbers; three, then larger ones; four, then larger ones. Read from left to right, values stay positive."""
    count, most = {1: (2, 9), 2: (3, 6), 3: (3, 12), 4: (4, 6), 5: (4, 12)}[level]
    while True:
        numbers = [int(n) for n in rng.integers(1, most + 1, count)]
        signs = [str(s) for s in rng.choice(["+", "-", "*"], count - 1)]
        value, expression, fine = numbers[0], str(numbers[0]), True
        for i, (sign, number) in enumerate(zip(signs, numbers[1:], strict=True)):
            if sign == "*" and i > 0 and signs[i - 1] != "*":
                expression = f"({expression})"
            value, expression = STEPS[sign](value, number), f"{expression}{sign}{number}"
            fine = fine and 0 < value < 200
        if fine:
            shown = ",".join(map(str, sorted(numbers)))
            return Problem("countdown", level, f"{shown}:{value}?", expression)


def _chain(level: int, rng: np.random.Generator) -> Problem:
    """As many operations as the level says, on three to five letters; never fewer than two are left."""
    while True:
        text = "".join(rng.choice(list(LETTERS), int(rng.integers(3, 6))))
        operations = "".join(rng.choice(list(OPERATIONS), level))
        result = text
        for operation in operations:
            result = apply(operation, result)
            if not 2 <= len(result) <= 6:
                break
        else:
            return Problem("chain", level, f"{text}|{operations}?", result)
