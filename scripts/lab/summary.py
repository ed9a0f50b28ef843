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


def solved(results: Results, first: str, second: str, k: int | None = None) -> SolvedSets:
    """Which problems one of two arms solves with as many answers as both have (the first k of more: expected none).

    Arms with more answers than the other are not cut down: k must be what both have.
    """
    a, b = results.arms[first], results.arms[second]
    names = [name for name, _, _ in results.problems]
    return solved_sets(names, a.right, b.right, k or min(*a.n, *b.n))


def tax(results: Results, tuned: str, k: int) -> Tax:
    """The sharpening tax of an arm against the base, from pass@1 to pass@k."""
    tables = [pass_table(results.arms[name].right, results.arms[name].n, k) for name in ("base", tuned)]
    return sharpening_tax(*tables)


def line(results: Results, seconds: float) -> dict[str, Any]:
    """The experiment as one JSON object."""
    arms = {name: results.arms[name] for name in NAMES if name in results.arms}
    everything = results.places()
    alone = solved(results, "base", "grpo") if {"base", "grpo"} <= arms.keys() else None
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
        if alone is None
        else {"base": len(alone.base_only), "grpo": len(alone.tuned_only)},
        "n_problems": len(results.problems),
        "seconds": round(seconds, 1),
    }


def _rounded(interval: Interval) -> list[float]:
    return [round(value, 4) for value in interval]
