"""Shares with intervals, paired tests, pass@k: what a benchmark of few items can say and what it cannot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Z = 1.959963984540054  # of 95 %
_POWER = 0.8416212335729143  # of 80 %
_RESAMPLES = 4000
_COUNTED = 12  # items whose signs are all counted: 4,096 ways
_SEED = 20251125  # of the bootstrap: the same rows give the same interval

Floats = NDArray[np.float64]


class Interval(NamedTuple):
    """A value and the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def wilson(right: int, n: int) -> Interval:
    """Share of right ones among n independent items. Raises ValueError for n = 0. Source: Wilson 1927."""
    if not 0 <= right <= n or n == 0:
        raise ValueError(f"{right} of {n} is no share")
    share, z2 = right / n, Z * Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return Interval(share, 0.0 if right == 0 else middle - half, 1.0 if right == n else middle + half)


def clustered(items: Sequence[Sequence[float]]) -> Interval:
    """Mean over items of the mean of each item's samples, items being what is drawn anew: normal, clipped to 0..1.

    Where no two items differ the interval of as many single answers is given, which is not empty. Source: Miller 2024,
    arXiv 2411.00640, section 2.2. Raises ValueError without items.
    """
    means = np.array([float(np.mean(samples)) for samples in items])
    if len(means) == 0:
        raise ValueError("no items")
    value = float(means.mean())
    if len(means) < 2 or np.ptp(means) == 0.0:
        single = wilson(min(round(value * len(means)), len(means)), len(means))
        return Interval(value, min(single.low, value), max(single.high, value))
    half = Z * float(means.std(ddof=1)) / math.sqrt(len(means))
    return Interval(value, max(value - half, 0.0), min(value + half, 1.0))


def share_right(items: Sequence[Sequence[bool]]) -> Interval:
    """Share of right answers: Wilson's interval where every item has one, else clustered. Raises ValueError without."""
    if all(len(samples) == 1 for samples in items):
        return wilson(sum(samples[0] for samples in items), len(items))
    return clustered(items)


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided p value of the exact McNemar test: whether items that one of two gets right favour either.

    only_first, only_second: items right under one alone. Binomial with 1/2, so at least as honest as chi-square.
    """
    n, least = int(only_first + only_second), int(min(only_first, only_second))
    if n == 0:
        return 1.0
    tail = sum(math.comb(n, k) for k in range(least + 1))
    return min(float(Fraction(2 * tail, 2**n)), 1.0)


def paired_difference(first: Sequence[float], second: Sequence[float]) -> Interval:
    """Mean of second - first over the same items, with a percentile bootstrap over items."""
    difference = np.asarray(second, dtype=np.float64) - np.asarray(first, dtype=np.float64)
    value = float(difference.mean())
    if (
        np.ptp(difference) == 0.0
    ):  # a bootstrap would claim certainty: as many items that differ as may go unseen
        unseen = wilson(0, len(difference)).high
        return Interval(value, max(value - unseen, -1.0), min(value + unseen, 1.0))
    low, high = np.quantile(difference[_resampled(len(difference))].mean(axis=1), (0.025, 0.975))
    return Interval(value, float(low), float(high))


def sign_flip(first: Sequence[float], second: Sequence[float]) -> float:
    """Two-sided p value: how often the mean difference is as far from 0 when each item's sign is a coin's.

    For items with several samples each; with single answers McNemar's test is its exact form. All signs are counted
    for up to 12 items that differ, else 4,000 are drawn.
    """
    difference = np.asarray(second, dtype=np.float64) - np.asarray(first, dtype=np.float64)
    difference = difference[difference != 0.0]
    n = len(difference)
    if n <= _COUNTED:
        signs = (np.arange(1 << n)[:, None] >> np.arange(n) & 1) * 2 - 1
    else:
        signs = np.random.Generator(np.random.PCG64(_SEED)).integers(0, 2, (_RESAMPLES, n)) * 2 - 1
    sums = np.abs((signs * difference).sum(axis=1))
    far = int((sums >= abs(float(difference.sum())) - 1e-12).sum())
    return far / len(signs) if n <= _COUNTED else (far + 1) / (_RESAMPLES + 1)


def pass_at(k: int, n: int, right: int) -> float:
    """Chance that one of k of the n samples, drawn without replacement, is right: unbiased for pass@k.

    Raises ValueError for k > n. Source: Chen et al. 2021, arXiv 2107.03374, equation 1.
    """
    if not 1 <= k <= n or not 0 <= right <= n:
        raise ValueError(f"pass@{k} is not defined for {right} right of {n}")
    if n - right < k:
        return 1.0
    return 1.0 - math.prod(1.0 - k / i for i in range(n - right + 1, n + 1))


def pass_curve(items: Sequence[Sequence[bool]]) -> list[tuple[int, Interval]]:
    """pass@k for k = 1, 2, 4, ... and the most samples an item has, with a bootstrap over items.

    Each k is of the items with at least k samples, by all of their samples: an interrupted run has fewer of some.
    The bootstrap is not over an item's samples too: items are drawn with theirs, so that both kinds of chance are in
    the band, and samples drawn twice are fewer different ones, which pulls pass@n far below itself.
    """
    n = max((len(samples) for samples in items), default=0)
    ks = sorted({*(2**i for i in range(n.bit_length()) if 2**i <= n), n} - {0})
    curve = []
    for k in ks:
        solved = np.array([pass_at(k, len(each), sum(each)) for each in items if len(each) >= k])
        value = float(solved.mean())
        if np.ptp(solved) == 0.0:  # no item differs: a bootstrap would claim certainty
            low, high = wilson(round(value * len(solved)), len(solved))[1:]
        else:
            low, high = np.quantile(solved[_resampled(len(solved))].mean(axis=1), (0.025, 0.975))
        curve.append((k, Interval(value, min(float(low), value), max(float(high), value))))
    return curve


def items_needed(difference: float, discordant: float) -> int | None:
    """Items at which a paired difference as seen would be told from none (5 % level, 80 % power); None: no difference.

    discordant: share of items that one of the two alone gets right (with several samples: the mean squared difference).
    Source: Connor 1987, sample size for McNemar's test.
    """
    gap = abs(difference)
    if gap < 1e-12:
        return None
    spread = math.sqrt(max(discordant - gap * gap, 0.0))
    return math.ceil((Z * math.sqrt(max(discordant, gap * gap)) + _POWER * spread) ** 2 / gap**2)


def _resampled(n: int) -> NDArray[np.intp]:
    """Indices (resamples, n) of a bootstrap over n items."""
    rng = np.random.Generator(np.random.PCG64(_SEED))
    return rng.integers(0, n, (_RESAMPLES, n))
