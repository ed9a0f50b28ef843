"""Scales of the page's charts: where a value stands, which ticks an axis has, which letters share a place."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

_WIDE, _HIGH = 36, 13  # pixels of a few letters


def linear(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """Maps `low` to `start` and `high` to `end`, in pixels, rounded to a tenth; an empty range maps to `start`."""
    scale = (end - start) / (high - low) if high > low else 0.0
    return lambda value: round(start + (value - low) * scale, 1)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten within the range: at most about `most` of them."""
    if not high > low:
        return [low]
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(power * m for m in (1, 2, 5, 10, 20) if (high - low) / (power * m) <= most)
    return [
        round(k * step, 12) for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    ]


def roof(shares: Iterable[float]) -> float:
    """The next tenth above all shares: the end of their axis."""
    return max(math.ceil(10 * max(shares) - 1e-9) / 10, 0.1)


def doublings(low: float, high: float) -> list[float]:
    """Powers of two around positive values: the last at or below `low` to the first above `high`."""
    first, last = math.floor(math.log2(low)), math.floor(math.log2(high)) + 1
    step = max(1, math.ceil((last - first) / 6))
    return [2.0**k for k in range(first, last + step, step)]


def together(points: Iterable[tuple[float, float, str]]) -> list[tuple[float, float, str]]:
    """Letters at (x, y); where one would stand over another, both stand behind the first."""
    placed: list[tuple[float, float, str]] = []
    for x, y, letter in points:
        near = (i for i, (a, b, _) in enumerate(placed) if abs(x - a) < _WIDE and abs(y - b) < _HIGH)
        i = next(near, len(placed))
        placed[i : i + 1] = [(*placed[i][:2], placed[i][2] + letter) if i < len(placed) else (x, y, letter)]
    return placed
