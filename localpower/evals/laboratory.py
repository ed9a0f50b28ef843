"""The laboratory's families as tasks: held-out problems, verified by the laboratory's own rules."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from localpower.evals.problem import Problem
from localpower.evals.sources import Source
from localpower.lab.careful import worked
from localpower.lab.problems import FAMILIES, LEVELS, draw

_SEED = 20251127
_EACH = 40  # problems of a level; an easy level may have fewer that differ
_DRAWN = 100  # from which those of a level are taken


def problems(family: str) -> Callable[[Source], list[Problem]]:
    """The loader of a family. Gold: {"family", "prompt", "solution"}."""

    def load(source: Source) -> list[Problem]:
        found: dict[str, Problem] = {}
        for level in LEVELS:
            rng = np.random.Generator(np.random.PCG64([_SEED, FAMILIES.index(family), level]))
            made = [draw(family, level, rng, held_out=True) for _ in range(_DRAWN)]
            for problem in list({p.prompt: p for p in made}.values())[:_EACH]:
                gold = {"family": family, "prompt": problem.prompt, "solution": problem.solution}
                name = f"lab-{family}/{problem.prompt}"
                page = worked(problem)
                found.setdefault(name, Problem(name, problem.prompt, gold, f"level {level}", worked=page))
        return list(found.values())

    return load
