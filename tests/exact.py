"""The enumerator: every path of the random choices of a function, with its exact probability.

`outcomes(fn)` calls fn(dice) once for each path. `pick` branches over all indices of positive weight, `below`
splits the interval in which the hidden uniform is still known to lie.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator
from typing import Any

import numpy as np


class Trace:
    """Dice that follow a path of branch numbers and note where other branches exist."""

    def __init__(self, path: list[int]) -> None:
        self._path = path
        self._widths: list[int] = []
        self.probability = 1.0

    def spawn(self, key: int) -> Trace:
        return self

    def _branch(self, probabilities: list[float]) -> int:
        depth = len(self._widths)
        self._widths.append(len(probabilities))
        if depth == len(self._path):
            self._path.append(0)
        chosen = self._path[depth]
        self.probability *= probabilities[chosen]
        return chosen

    def pick(self, weights: Any, sums: Any = None) -> int:
        weights = np.asarray(weights, dtype=np.float64)
        possible = np.flatnonzero(weights > 0)
        shares = weights[possible] / weights.sum()
        return int(possible[self._branch(shares.tolist())])

    def threshold(self) -> _Interval:
        return _Interval(self)

    def next_path(self) -> list[int] | None:
        path = self._path[: len(self._widths)]
        while path:
            if path[-1] + 1 < self._widths[len(path) - 1]:
                return [*path[:-1], path[-1] + 1]
            path.pop()
        return None


class _Interval:
    log_u = math.nan

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._low, self._high = 0.0, 1.0

    def below(self, log_x: float) -> bool:
        x = min(math.exp(min(log_x, 1.0)), 1.0)
        if x >= self._high:
            return True
        if x <= self._low:
            return False
        share = (x - self._low) / (self._high - self._low)
        if self._trace._branch([share, 1.0 - share]) == 0:
            self._high = x
            return True
        self._low = x
        return False


def outcomes(fn: Callable[[Trace], Any]) -> Iterator[tuple[Any, float]]:
    """(result, probability) for every path; the probabilities sum to 1."""
    path: list[int] | None = []
    while path is not None:
        trace = Trace(path)
        result = fn(trace)
        yield result, trace.probability
        path = trace.next_path()


def law(fn: Callable[[Trace], Hashable]) -> dict[Hashable, float]:
    """The exact distribution of fn's result."""
    total: defaultdict[Hashable, float] = defaultdict(float)
    for result, probability in outcomes(fn):
        total[result] += probability
    return dict(total)
