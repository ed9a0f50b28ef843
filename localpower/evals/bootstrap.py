"""Problems drawn anew, for many numbers at once: what each resample's means are, in one product of matrices.

Each call with as many problems draws the same resamples, so that differences between numbers of two calls are paired.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from localpower.statistics import RESAMPLES, SEED, Floats, Interval, alike, percentiles, wilson

_AT_ONCE = 1 << 22  # weights that are in memory at a time
_KEPT = 4096  # problems whose weights are kept for the next call: 16 MB


def resampled_means(values: Floats) -> Floats:
    """Means of values (problems, m) over each resample of the problems: (resamples, m). Raises ValueError for none."""
    n, m = values.shape
    if n == 0:
        raise ValueError("no problems")
    means = np.empty((RESAMPLES, m))
    for first, weights in _weights(n):
        means[first : first + len(weights)] = weights.astype(np.float64) @ values
    means /= n
    return means


def mean_intervals(shares: Floats) -> list[Interval]:
    """Means of shares (problems, m), each from 0 to 1, with the middle 95 % of their resamples.

    Where no two problems differ: the interval of as many single answers.
    """
    means = resampled_means(shares)
    return [
        alike(column) if np.ptp(column) == 0.0 else percentiles(column.mean(), means[:, i])
        for i, column in enumerate(shares.T)
    ]


def difference_intervals(first: Floats, second: Floats) -> list[Interval]:
    """Mean of second - first, paired by problem, for each column of (problems, m), from -1 to 1.

    Where all problems differ alike, as many that differ otherwise may be unseen as with none among so many (Wilson).
    """
    difference = second - first
    means = resampled_means(difference)
    found = []
    for i, column in enumerate(difference.T):
        value = float(column.mean())
        if np.ptp(column) == 0.0:
            unseen = wilson(0, len(column)).high
            found.append(Interval(value, max(value - unseen, -1.0), min(value + unseen, 1.0)))
        else:
            found.append(percentiles(value, means[:, i]))
    return found


def _weights(n: int) -> Iterator[tuple[int, NDArray[np.integer]]]:
    """Of each resample how often it has each problem: the row it begins with, and (rows, n)."""
    if n <= _KEPT:
        yield 0, _kept(n)
        return
    rng = np.random.Generator(np.random.PCG64(SEED))
    rows = max(_AT_ONCE // n, 1)
    for first in range(0, RESAMPLES, rows):
        yield first, _draw(rng, min(rows, RESAMPLES - first), n)


@lru_cache(maxsize=4)
def _kept(n: int) -> NDArray[np.integer]:
    found = _draw(np.random.Generator(np.random.PCG64(SEED)), RESAMPLES, n).astype(np.uint16)
    found.flags.writeable = False
    return found


def _draw(rng: np.random.Generator, rows: int, n: int) -> NDArray[np.integer]:
    """A multinomial draw in each row, by counting: numpy's own takes ten times as long."""
    index = rng.integers(0, n, (rows, n)) + np.arange(rows)[:, None] * n
    return np.bincount(index.ravel(), minlength=rows * n).reshape(rows, n)
