"""Cold starts before reinforcement learning: which data lab-base is first trained on, and on which problems these are.

Each start is the base after the same number of steps of next-token prediction on the same number of rows, which
localpower draws and exports: cold_data.py makes the rows, cold_train.py trains. None was chosen by results.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from arms import LOW_TEMPERATURE, STEPS, Arm

from localpower.evals.forms import BARE
from localpower.evals.problem import Problem
from localpower.evals.sources import Source
from localpower.evals.task import Task
from localpower.lab import problems as lab
from localpower.lab.careful import worked

TASK, SEED = (
    "lab-training",
    4,
)  # SEED: of the problems; what the base and GRPO are trained on has other streams
ROWS, SFT_STEPS, GRPO_STEPS = 1536, 96, 60  # with 64 rows a step every row is seen four times
CHECKPOINTS = (10, 20, 30, 40, 50, 60)
POOL, ASKED = 2304, 1568  # problems that are drawn, and of these the first ones for starts that need no luck
TRIES = 4  # answers to each problem, of which the first right one is kept by rejection sampling
_LONGEST = 44  # characters of an answer, as of the tasks
_PREFIX = "cold"


@dataclass(frozen=True, slots=True)
class Start:
    """Data for a cold start: the answers by a method to training problems. keep: as of `localpower export`.

    drawn: the folder of the answers, which two starts may share. samples: of a problem.
    """

    name: str
    method: str
    about: str
    drawn: str = ""
    keep: str = "all"
    samples: int = 1
    limit: int = ASKED

    @property
    def folder(self) -> str:
        """Of the answers."""
        return self.drawn or self.name


STARTS = (
    Start("own", "base", "own draws", "draws", samples=TRIES, limit=POOL),
    Start("right", "base", "own right draws", "draws", "right", TRIES, POOL),
    Start("low-temp", LOW_TEMPERATURE, "draws at a quarter of the temperature"),
    *(
        Start(f"power-{alpha:g}", f"power:alpha={alpha:g}:steps={STEPS}", f"power samples, alpha {alpha:g}")
        for alpha in (1.5, 2, 4)
    ),
    Start("project", f"project:steps={STEPS}:cuts=restart", "experts' answers, projected"),
    Start("expert", "project:steps=0", "experts' answers as they are"),
)
BASE = "base"  # no cold start at all
NAMES = (BASE, *(start.name for start in STARTS))


def problems() -> list[Problem]:
    """POOL training problems of any family and level, no two alike and none held out."""
    rng, found = np.random.Generator(np.random.PCG64([SEED, 4])), dict[str, lab.Problem]()
    while len(found) < POOL:
        family, level = str(rng.choice(lab.FAMILIES)), int(rng.choice(lab.LEVELS))
        problem = lab.draw(family, level, rng, held_out=False)
        found.setdefault(problem.prompt, problem)
    return [
        Problem(
            f"{TASK}/{each.prompt}",
            each.prompt,
            {"family": each.family, "prompt": each.prompt, "solution": each.solution},
            f"level {each.level}",
            worked=worked(each),
        )
        for each in found.values()
    ]


def task() -> Task:
    """The training problems as a task."""

    def load(_source: Source) -> list[Problem]:
        return problems()

    about = "training problems of the lab models, generated"
    return Task(TASK, "lab", load, BARE, _LONGEST, about, licence="MIT")


def name_at(start: str, step: int) -> str:
    """Of the arm and, with lab- before it, of the model: a start after so many steps of GRPO."""
    return f"{_PREFIX}-{start}-{step}"


def rows_file(folder: Path, start: str) -> Path:
    """Where cold_data.py puts the rows of a start."""
    return folder / "data" / start / "tokens" / "train-00000-of-00001.jsonl"


def cold_arms(folder: Path | None) -> Iterator[Arm]:
    """The models that cold_train.py left in a folder: many answers of those before and after GRPO, two between."""
    for start in NAMES:
        for step in (0, *CHECKPOINTS) if folder else ():
            name = name_at(start, step)
            path = folder / f"lab-{name}.gguf"
            if path.exists():
                yield Arm(name, str(path), "base", "many" if step in (0, CHECKPOINTS[-1]) else "two")
