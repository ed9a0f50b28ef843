"""How many rows a batch should have: a machine's measured cost, and what a wider batch decides. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

_WORTH = 1.1


def relative_cost(curve: Mapping[int, float], rows: int) -> float:
    """Seconds of a batch of `rows` over those of a lone row, between measured points; `rows` without a curve."""
    known = sorted(curve)
    if not known:
        return float(rows)
    seconds = float(np.interp(rows, known, [curve[n] for n in known]))
    return seconds / curve[known[0]] * max(1.0, rows / known[-1])


def best_width(cost: Callable[[int], float], rate: float, most: int) -> int:
    """The width that decides most steps for its cost, where a share `rate` of steps moves the chain.

    m proposals decide (1 - (1 - rate)^m) / rate steps: all up to the first that moves. One alone unless another width
    promises a tenth more: a curve that was measured once is not that sure, and wider batches bring copies of their own.
    """

    def gain(m: int) -> float:
        return (1.0 - (1.0 - rate) ** m) / rate / cost(m)

    best = max(range(1, most + 1), key=lambda m: (gain(m), -m))
    return best if gain(best) >= _WORTH * gain(1) else 1
