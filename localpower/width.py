"""How many rows a batch should have: a machine's measured cost, and what a wider batch decides. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence

_WORTH = 1.1
# What proposals ahead must promise: how long each will be, and which one moves the chain, is luck.
_WORTH_PROPOSALS = 1.2
LATE_RATE = 0.2
_FIRST, _FALL, _STRENGTH = 0.5, 0.6, 3.0
_COPY = 1.0  # lone rows that it takes to copy what a proposal shares with the state


def relative_cost(curve: Mapping[int, float], rows: int) -> float:
    """Seconds of a batch of `rows` over those of a lone row, between measured points; `rows` without a curve."""
    known = sorted(curve)
    if not known:
        return float(rows)
    after = bisect_left(known, rows)
    if 0 < after < len(known):
        low, high = known[after - 1], known[after]
        seconds = curve[low] + (curve[high] - curve[low]) * (rows - low) / (high - low)
    else:
        seconds = curve[known[min(after, len(known) - 1)]]
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


def chance_of_move(step: int, moved: int, tried: int) -> float:
    """The chance that step number `step` of a chain moves it, when `moved` of the first `tried` steps have.

    The first steps leave a plain draw and often move, later ones leave what was chosen before: one half, falling to a
    fifth, times what this chain has done beside that. Seen so with the default model at alpha 1.5 to 4; chains of short
    answers (lab-base) differ, which is what the last factor is for. A wrong chance costs time and changes no result.
    """
    above = _FIRST - LATE_RATE
    expected = LATE_RATE * tried + above * (1.0 - _FALL**tried) / (1.0 - _FALL)
    rate: float = (LATE_RATE + above * _FALL**step) * (moved + _STRENGTH) / (expected + _STRENGTH)
    return min(rate, 0.98)


def rows_for_proposals(
    moves: Sequence[float], begun: int, length: float, cost: Callable[[int], float]
) -> int:
    """How many of the proposals, in the order in which they are decided, have a row in the next batch.

    moves: the chance of each that it moves the chain. A row of a proposal is of use if none before it does. begun: so
    many of them have begun; each other one copies what it shares, before the `length` rows that a proposal has. cost:
    of a batch by its rows, over a lone row. One alone unless more promise a fifth more useful rows in the same time.
    """
    best, rows, useful, likely, copies = _WORTH_PROPOSALS, 1, 0.0, 1.0, 0.0
    for n, move in enumerate(moves, start=1):
        useful += likely
        likely *= 1.0 - move
        copies += _COPY / max(length, 1.0) if n > max(begun, 1) else 0.0
        if n > 1 and (gain := useful / (cost(n) + copies)) > best:
            best, rows = gain, n
    return rows
