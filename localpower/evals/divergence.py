"""Kullback-Leibler divergence between two models from answers that one of them drew and both have read, in nats.

KL(p || q) = E_p[log p(x) - log q(x)] over whole answers x, which end or are cut off at the same length: the mean over
plain draws from p has no bias. Answers of a sharpened method, of a low temperature or of a chain are no draws from p.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from localpower.statistics import Floats


@dataclass(frozen=True, slots=True)
class Divergence:
    """Nats an answer, mean over problems, with its standard error over problems (None where it cannot be told).

    per_token: the same over tokens: nats of all answers by tokens of all answers. n: answers.
    """

    per_answer: float
    error: float | None
    per_token: float
    n_problems: int
    n: int


def divergence(
    drawn: Sequence[Sequence[float]], other: Sequence[Sequence[float]], tokens: Sequence[Sequence[int]]
) -> Divergence:
    """KL(p || q) from plain draws of p, by problem: log p and log q of each answer, and how many tokens it has.

    The error is that of a mean over problems, which are what is drawn anew; with one problem that over its answers.
    Raises ValueError without answers, and for values that are not finite: q may not call impossible what p draws.
    """
    gaps = [np.asarray(p, np.float64) - np.asarray(q, np.float64) for p, q in zip(drawn, other, strict=True)]
    if not gaps or not all(len(gap) for gap in gaps):
        raise ValueError("no answers")
    if not all(np.isfinite(gap).all() for gap in gaps):
        raise ValueError("log p must be finite")
    means = np.array([gap.mean() for gap in gaps])
    total = sum(sum(each) for each in tokens)
    return Divergence(
        per_answer=float(means.mean()),
        error=_error(means if len(means) > 1 else gaps[0]),
        per_token=float(sum(gap.sum() for gap in gaps)) / total if total else 0.0,
        n_problems=len(gaps),
        n=sum(map(len, gaps)),
    )


def _error(values: Floats) -> float | None:
    return float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else None
