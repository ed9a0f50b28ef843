"""The laboratory's families as tasks: held-out problems, verified by the laboratory's own rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from localpower.evals.problem import Problem
from localpower.evals.sources import Source
from localpower.lab import problems as lab
from localpower.lab.careful import worked
from localpower.lab.problems import FAMILIES, LEVELS, draw

_SEED = 20251127
_EACH = 40  # problems of a level; an easy level may have fewer that differ
_DRAWN = 100  # from which those of a level are taken


def problems(family: str) -> Callable[[Source], list[Problem]]:
    """The loader of a family, with the careful author's pages. Gold: {"family", "prompt", "solution"}."""
    seed, make = (_SEED, FAMILIES.index(family)), partial(draw, family, held_out=True)
    return lambda _: of_levels(make, seed, _DRAWN, worked)


def of_levels(
    make: Callable[[int, np.random.Generator], lab.Problem],
    seed: Sequence[int],
    drawn: int,
    page: Callable[[lab.Problem], str] = lambda _: "",
) -> list[Problem]:
    """Up to forty different problems of each level, the first of so many that are drawn."""
    found: dict[str, Problem] = {}
    for level in LEVELS:
        rng = np.random.Generator(np.random.PCG64([*seed, level]))
        made = [make(level, rng) for _ in range(drawn)]
        for problem in list({p.prompt: p for p in made}.values())[:_EACH]:
            gold = {"family": problem.family, "prompt": problem.prompt, "solution": problem.solution}
            name = f"lab-{problem.family}/{problem.prompt}"
            made_of = Problem(name, problem.prompt, gold, f"level {level}", worked=page(problem))
            found.setdefault(name, made_of)
    return list(found.values())
