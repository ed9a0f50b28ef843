"""Which of two models solves which problems: both, one alone, neither, and whether that favours either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from localpower.statistics import mcnemar


@dataclass(frozen=True, slots=True)
class SolvedSets:
    """Problems by who solves them with k samples. p: exact McNemar on those that one alone solves.

    missed: the largest success rate at which k samples fail once in 20 times: a problem that is not solved may still
    have it.
    """

    k: int
    both: int
    neither: int
    base_only: tuple[str, ...]
    tuned_only: tuple[str, ...]
    p: float
    missed: float


def solved_sets(names: Sequence[str], base: Sequence[int], tuned: Sequence[int], k: int) -> SolvedSets:
    """Of the right answers among k samples of each problem, in the order of names. Raises ValueError for k = 0."""
    told = list(zip(names, base, tuned, strict=True))
    base_only = tuple(name for name, a, b in told if a and not b)
    tuned_only = tuple(name for name, a, b in told if b and not a)
    return SolvedSets(
        k=k,
        both=sum(bool(a and b) for _, a, b in told),
        neither=sum(not (a or b) for _, a, b in told),
        base_only=base_only,
        tuned_only=tuned_only,
        p=mcnemar(len(base_only), len(tuned_only)),
        missed=unseen_rate(k),
    )


def unseen_rate(k: int) -> float:
    """The success rate at which k samples all fail with chance 5 %: 1 - .05^(1/k). Raises ValueError for k = 0."""
    if k < 1:
        raise ValueError("no samples")
    return float(1.0 - 0.05 ** (1.0 / k))
