"""From counts to statements, by the library's statistics: one JSON object for programs, rows for tables.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from arms import FAMILIES, NAMES
from results import ArmResult, Results

from localpower.evals.bootstrap import difference_intervals, mean_intervals, resampled_means
from localpower.evals.coverage import pass_table
from localpower.evals.overlap import SolvedSets, solved_sets
from localpower.evals.sharpening_tax import Tax, sharpening_tax
from localpower.statistics import Interval, percentiles, share_right, sign_flip

LEVELS = (1, 2, 3, 4, 5)


def shares(arm: ArmResult, places: Sequence[int]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The share of right answers to each of the problems (n,)."""
    return np.array([arm.right[i] / arm.n[i] for i in places])


def accuracy(arm: ArmResult, places: Sequence[int]) -> Interval:
    """Mean over problems of the share of right answers."""
    return share_right([[True] * arm.right[i] + [False] * (arm.n[i] - arm.right[i]) for i in places])


def ks(arm: ArmResult) -> list[int]:
    """1, 2, 4, ... and as many as every problem has answers."""
    most = min(arm.n)
    return [2**i for i in range(most.bit_length()) if 2**i < most] + [most]


def passes(arm: ArmResult, places: Sequence[int], wanted: Sequence[int]) -> list[Interval]:
    """pass@k of the problems, each with its interval."""
    table = pass_table([arm.right[i] for i in places], [arm.n[i] for i in places], max(wanted))
    return mean_intervals(table[:, [k - 1 for k in wanted]])


def gain(first: ArmResult, second: ArmResult, places: Sequence[int]) -> tuple[Interval, float]:
    """second - first in accuracy, paired by problem, and the p value of sign flips over problems."""
    a, b = shares(first, places), shares(second, places)
    return difference_intervals(a[:, None], b[:, None])[0], sign_flip(a, b)


def share_of_gain(results: Results, arm: str, tuned: str, places: Sequence[int]) -> Interval | None:
    """(arm - base) / (tuned - base), with problems drawn anew; None where the tuned model gained nothing."""
    columns = np.stack([shares(results.arms[name], places) for name in ("base", arm, tuned)], axis=1)
    base, mine, other = columns.mean(axis=0)
    again = resampled_means(columns)
    gained = again[:, 2] - again[:, 0]
    if other <= base or (gained <= 0).any():
        return None
    return percentiles(float((mine - base) / (other - base)), (again[:, 1] - again[:, 0]) / gained)


def solved(results: Results, first: str, second: str) -> SolvedSets:
    """Which problems one of two arms solves with all its answers. Raises ValueError where one has more of them."""
    a, b = results.arms[first], results.arms[second]
    if a.n != b.n or min(a.n) < max(a.n):
        raise ValueError(f"{first} and {second} have different numbers of answers")
    return solved_sets([name for name, _, _ in results.problems], a.right, b.right, a.n[0])


def alone(results: Results, first: str, second: str, k: int, places: Sequence[int]) -> tuple[float, float]:
    """How many problems the first is expected to solve with k answers each and the second not, and the reverse."""
    a, b = (
        pass_table([arm.right[i] for i in places], [arm.n[i] for i in places], k)[:, -1]
        for arm in (results.arms[first], results.arms[second])
    )
    return float((a * (1 - b)).sum()), float((b * (1 - a)).sum())


def tax(results: Results, tuned: str, k: int) -> Tax:
    """The sharpening tax of an arm against the base, from pass@1 to pass@k."""
    tables = [pass_table(results.arms[name].right, results.arms[name].n, k) for name in ("base", tuned)]
    return sharpening_tax(*tables)


def line(results: Results, seconds: float) -> dict[str, Any]:
    """The experiment as one JSON object."""
    arms = {name: results.arms[name] for name in NAMES if name in results.arms}
    everything = results.places()
    sets = solved(results, "base", "grpo") if {"base", "grpo"} <= arms.keys() else None
    return {
        "pass1": {name: _rounded(accuracy(arm, everything)) for name, arm in arms.items()},
        "passk": {
            name: {
                str(k): round(each.value, 4)
                for k, each in zip(ks(arm), passes(arm, everything, ks(arm)), strict=True)
            }
            for name, arm in arms.items()
        },
        "tokens": {name: arm.tokens for name, arm in arms.items()},
        "seconds_per_answer": {name: arm.seconds for name, arm in arms.items()},
        "by_family": {
            family: {name: _rounded(accuracy(arm, results.places(family))) for name, arm in arms.items()}
            for family in FAMILIES
        },
        "solved_only_by": None
        if sets is None
        else {"base": len(sets.base_only), "grpo": len(sets.tuned_only)},
        "n_problems": len(results.problems),
        "seconds": round(seconds, 1),
    }


def _rounded(interval: Interval) -> list[float]:
    return [round(value, 4) for value in interval]
