"""What the listings of exact.py prove: accuracy of p and p^alpha between bounds, and the distance of samplers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from arms import ALPHA
from exact import SURE, problems

import localpower as lp
from localpower.evals.groups import Group
from localpower.lab.problems import Problem, verify

ALPHAS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
SAMPLERS = ("low-temp", "best-of-n", "smc", "power")  # whose law is, or tends to, p^alpha
DRAWN = 8  # answers of each of them: the fewest that an arm has
_REPEATS, _SEED = 40, 5


@dataclass(frozen=True, slots=True)
class Truth:
    """accuracy: by alpha, [low, high] of each problem (None: not listed), in the order of the results.

    missing: of p, of each problem. top: whether the likeliest answer is right (None: not known). variation: mean over
    `n_variation` problems of the distance between DRAWN answers and p^ALPHA, by sampler, the middle of its bounds;
    `exact`: of as many exact draws.
    """

    accuracy: dict[str, tuple[tuple[float, float] | None, ...]]
    missing: tuple[float | None, ...]
    top: tuple[bool | None, ...]
    variation: dict[str, float]
    n_variation: int

    @classmethod
    def of(cls, raw: dict[str, Any]) -> Truth:
        """From plain JSON."""
        accuracy = {
            alpha: tuple(None if each is None else (each[0], each[1]) for each in bounds)
            for alpha, bounds in raw["accuracy"].items()
        }
        return cls(accuracy, tuple(raw["missing"]), tuple(raw["top"]), raw["variation"], raw["n_variation"])


def truth_of(path: Path, order: Sequence[str], arms: Mapping[str, Group]) -> Truth:
    """Of a model's listings. order: ids of problems."""
    posed = {
        each.id: Problem(each.gold["family"], 0, each.text, each.gold["solution"]) for each in problems(None)
    }
    laws: dict[str, lp.AnswerList] = {}
    for line in path.read_text("utf-8").splitlines():
        raw = json.loads(line)
        answers = tuple(
            lp.ListedAnswer(a["text"], tuple(a["tokens"]), a["finish"], a["log_p"]) for a in raw["answers"]
        )
        left = -np.inf if raw["log_p_missing"] is None else raw["log_p_missing"]
        laws[raw["id"]] = lp.AnswerList(answers, raw["missing"], left, raw["rows"])

    def right(name: str) -> Any:
        return lambda answer: verify(posed[name], answer.text)

    def bounds(name: str, alpha: float) -> tuple[float, float] | None:
        if name not in laws:
            return None
        low, high = laws[name].share(right(name), alpha)
        return round(low, 5), round(high, 5)

    def top(name: str) -> bool | None:
        law = laws.get(name)
        if law is None or not law.answers or law.answers[0].log_p < law.log_p_missing:
            return None
        return bool(right(name)(law.answers[0]))

    sure = [name for name in order if name in laws and laws[name].missing_at(ALPHA) <= SURE]
    distances = {}
    for arm in SAMPLERS if path.stem == "lab-base" else ():
        if arm in arms and all(len(arms[arm].items.get(name, ())) >= DRAWN for name in sure):
            drawn = {name: [row["tokens"] for row in arms[arm].items[name][:DRAWN]] for name in sure}
            distances[arm] = fmean(fmean(laws[name].variation(drawn[name], ALPHA)) for name in sure)
    if sure:
        rng = np.random.default_rng(_SEED)
        distances["exact"] = fmean(_exact(laws[name], rng) for name in sure)
    return Truth(
        {f"{alpha:g}": tuple(bounds(name, alpha) for name in order) for alpha in ALPHAS},
        tuple(round(laws[name].missing, 4) if name in laws else None for name in order),
        tuple(top(name) for name in order),
        {arm: round(value, 4) for arm, value in distances.items()},
        len(sure),
    )


def _exact(law: lp.AnswerList, rng: np.random.Generator) -> float:
    """Mean distance of DRAWN exact draws of p^ALPHA from it."""
    weights = np.exp(ALPHA * (np.array([each.log_p for each in law.answers]) - law.answers[0].log_p))
    picks = rng.choice(len(weights), (_REPEATS, DRAWN), p=weights / weights.sum())
    return fmean(
        fmean(law.variation([law.answers[i].tokens for i in each], ALPHA)) for each in picks.tolist()
    )
