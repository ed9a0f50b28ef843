"""Which problems samples solve: pass@k at equal k and at equal tokens, where curves cross, Cover@tau, distinct answers.

Everything is of counts: `right` of `n` samples of each problem. Sources: pass@k Chen et al. 2021 (arXiv 2107.03374),
Cover@tau arXiv 2510.08325, distinct answers among k Hurlbert 1971 (rarefaction).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from localpower.statistics import Floats

Bools = NDArray[np.bool_]
_EQUAL = 1e-12  # shares that are nearer to each other than this are the same


def pass_table(right: ArrayLike, n: ArrayLike, most: int) -> Floats:
    """Unbiased pass@1 to pass@most of each problem: (problems, most).

    pass@k is the chance that one of k samples, drawn without replacement from the n, is right: its mean over samples is
    1 - (1 - p)^k where each is right with chance p. Raises ValueError where a problem has fewer than `most` samples.
    """
    rights, sizes = _counts(right, n)
    if most < 1 or most > sizes.min(initial=most):
        raise ValueError(f"pass@{most} is not defined for {sizes.min(initial=most)} samples")
    pairs, place = np.unique(np.stack((rights, sizes)), axis=1, return_inverse=True)
    k = np.arange(most)
    wrong = np.clip((pairs[1] - pairs[0])[:, None] - k, 0, None)
    table: Floats = 1.0 - np.cumprod(wrong / (pairs[1][:, None] - k), axis=1)
    return table[place.ravel()]


def distinct_at(counts: Sequence[int], k: int) -> float:
    """How many different answers are expected among k of the samples: counts of each answer. Unbiased.

    Raises ValueError for k beyond the samples.
    """
    n = sum(counts)
    return float(pass_table(np.array(counts), np.full(len(counts), n), k)[:, -1].sum())


def cover_at(right: ArrayLike, n: ArrayLike, taus: Sequence[float]) -> Bools:
    """Whether a problem's success rate, as seen, is at least tau: (problems, taus). Raises ValueError outside of 0..1.

    The rate is right / n itself: with few samples a rate near tau falls on either side of it by chance.
    """
    rights, sizes = _counts(right, n)
    if not all(0.0 < tau <= 1.0 for tau in taus):
        raise ValueError(f"tau is above 0 and at most 1, got {list(taus)}")
    return np.asarray(rights[:, None] >= sizes[:, None] * np.asarray(taus) - 1e-9)


def pass_at_tokens(curve: Floats, cost: ArrayLike, budget: ArrayLike) -> Floats:
    """pass@k for a budget of tokens: curve (..., k) of pass@1, pass@2, ..., cost (...,) tokens drawn a sample.

    The budget buys budget / cost samples on average. Where that is no whole number, the larger of the two whole numbers
    beside it is drawn as often as makes the mean right: then so many tokens are drawn in expectation, exactly (Wald),
    and pass is linear between the two. NaN beyond the samples that there are, and where a sample costs nothing.
    pass@0 is 0.
    """
    curve = np.asarray(curve, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        k = np.asarray(budget, dtype=np.float64) / np.asarray(cost, dtype=np.float64)
    most = curve.shape[-1]
    k = np.where(np.abs(k - np.rint(k)) < 1e-9, np.rint(k), k)
    low = np.clip(np.floor(np.nan_to_num(k, nan=0.0)), 0, most).astype(np.intp)
    k = np.where(np.isfinite(k), k, np.inf)
    padded = np.concatenate((np.zeros((*curve.shape[:-1], 1)), curve), axis=-1)
    shape = np.broadcast_shapes(padded.shape[:-1], low.shape)
    padded = np.broadcast_to(padded, (*shape, most + 1))
    low, k = np.broadcast_to(low, shape), np.broadcast_to(k, shape)
    below = np.take_along_axis(padded, low[..., None], -1)[..., 0]
    above = np.take_along_axis(padded, np.minimum(low + 1, most)[..., None], -1)[..., 0]
    there = (k >= 0) & (k <= most)
    found = below + np.where(there, k - low, 0.0) * (above - below)
    return np.where(there, found, np.nan)


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where two curves cross: at x, by straight lines between the points `before` and `after`.

    leader: 0 where the first curve is above before it, 1 where the second is.
    """

    x: float
    before: float
    after: float
    leader: int


def crossings(x: Sequence[float], first: Sequence[float], second: Sequence[float]) -> list[Crossing]:
    """Every change of the leader of two curves at points x, in order. To touch, or to be equal, changes nothing."""
    xs, gap = np.asarray(x, dtype=np.float64), np.asarray(first, dtype=np.float64) - np.asarray(second)
    apart = np.flatnonzero(np.abs(gap) > _EQUAL)
    found = []
    for i, j in pairwise(apart):
        if (gap[i] > 0) == (gap[j] > 0):
            continue
        straight = xs[i] + (xs[j] - xs[i]) * gap[i] / (gap[i] - gap[j])
        at = straight if j == i + 1 else xs[i + 1]  # else they are equal in between
        found.append(Crossing(float(at), float(xs[i]), float(xs[j]), int(gap[i] < 0)))
    return found


def token_crossings(first: Floats, second: Floats, costs: tuple[float, float]) -> list[Crossing]:
    """The same at equal tokens, x in tokens: curves (k,) of pass@k, costs of a sample of each.

    From the dearer one's first sample to the last of the one that ends first. None where a sample costs nothing.
    """
    if min(costs) <= 0.0:
        return []
    priced = list(zip((first, second), costs, strict=True))
    knots = [np.arange(1, len(curve) + 1) * cost for curve, cost in priced]
    every, last = np.concatenate(knots), min(each[-1] for each in knots)
    x = np.unique(every[(every >= max(costs)) & (every <= last)])
    a, b = (pass_at_tokens(np.tile(curve, (len(x), 1)), cost, x) for curve, cost in priced)
    return crossings(x.tolist(), a.tolist(), b.tolist())


def _counts(right: ArrayLike, n: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    rights, sizes = np.broadcast_arrays(np.asarray(right, np.int64), np.asarray(n, np.int64))
    if (rights < 0).any() or (rights > sizes).any() or (sizes < 1).any():
        raise ValueError("right is from 0 to n, and n at least 1")
    return rights, sizes
