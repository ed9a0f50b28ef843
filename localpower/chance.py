"""The one source of chance.

Samplers draw through two primitives only: `pick` an index in proportion to weights, and compare a hidden
uniform with a number (`threshold().below`). Replace the dice by an enumerator (testing.py) and every
sampler yields its exact output law.

Streams are keyed, not shared: `dice.spawn(k)` depends on the seed and the path of keys alone, so neither
batch width, nor recording, nor another chain can move a draw.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from localpower.numerics import BLOCK, block_sums


class Threshold(Protocol):
    """A uniform u on (0, 1), drawn but not shown: accept tests ask whether it lies below a value."""

    @property
    def log_u(self) -> float:
        """log u in nats, for the record; NaN where u is enumerated instead of drawn."""

    def below(self, log_x: float) -> bool:
        """Whether log u < log_x. True with probability min(1, exp(log_x))."""


class Dice(Protocol):
    """Chance as samplers see it."""

    def pick(self, weights: NDArray[np.floating], sums: NDArray[np.float64] | None = None) -> int:
        """An index i with probability weights[i] / sum(weights); weights (n,), none negative.

        sums: `numerics.block_sums(weights)`, where they are known.
        """

    def threshold(self) -> Threshold:
        """A fresh uniform to be compared with acceptance ratios."""

    def spawn(self, key: int) -> Dice:
        """The independent stream that belongs to `key`."""


class DrawnThreshold:
    """A threshold whose uniform has been drawn."""

    __slots__ = ("log_u",)

    def __init__(self, u: float) -> None:
        self.log_u = math.log(u)

    def below(self, log_x: float) -> bool:
        """Whether log u < log_x."""
        return self.log_u < log_x


class StreamDice:
    """Dice over a counter-based generator (Philox) keyed by a seed and a path of integers."""

    __slots__ = ("_generator", "_path", "_seed")

    def __init__(self, seed: int, path: tuple[int, ...] = ()) -> None:
        self._seed = seed
        self._path = path
        self._generator: np.random.Generator | None = None

    def spawn(self, key: int) -> StreamDice:
        """The stream of this seed at this path followed by `key`."""
        return StreamDice(self._seed, (*self._path, key))

    def _uniform(self) -> float:
        """A uniform on the open interval (0, 1): midpoints of 2**52 cells, so log u is finite."""
        if self._generator is None:  # most dice are only ever spawned from
            sequence = np.random.SeedSequence(self._seed, spawn_key=self._path)
            self._generator = np.random.Generator(np.random.Philox(sequence))
        return (int(self._generator.integers(1 << 52)) + 0.5) / (1 << 52)

    def pick(self, weights: NDArray[np.floating], sums: NDArray[np.float64] | None = None) -> int:
        """Inverse-CDF draw by one uniform: first the block, then the index in it. Sums in float64."""
        before = np.add.accumulate(block_sums(weights) if sums is None else sums)
        total = float(before[-1])
        if not (0.0 < total < math.inf):
            raise ValueError(f"weights must have a positive finite sum, got {total}")
        # Below the total even when u * total rounds up to it: a zero weight is never picked.
        point = min(self._uniform() * total, math.nextafter(total, 0.0))
        block = int(before.searchsorted(point, side="right"))
        inside = np.add.accumulate(weights[block * BLOCK : (block + 1) * BLOCK], dtype=np.float64)
        rest = point - (float(before[block - 1]) if block else 0.0)
        rest = min(rest, math.nextafter(float(inside[-1]), 0.0))
        return block * BLOCK + int(inside.searchsorted(rest, side="right"))

    def threshold(self) -> DrawnThreshold:
        """Draw u now; later comparisons see the same u."""
        return DrawnThreshold(self._uniform())
