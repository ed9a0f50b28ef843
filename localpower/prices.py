"""What batches of so many rows cost, as a run finds them while it draws."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from functools import partial
from statistics import median

from localpower.width import relative_cost

_LONE = 8  # rows that a wider batch is compared with: the last ones
_NEAR = 64  # batches after which they say nothing of now
_KEPT, _ENOUGH = 32, 8  # ratios by width
_CONTRADICTS = 1.5


class Prices:
    """What batches cost in this run: seconds by rows, over those of the lone rows just before them.

    Where there are too few of either, by a curve that was stored. That was measured at another time, beside other work
    or none, so a wider batch is taken to cost as much more as a narrower one did. A low quartile of the last batches
    counts: whatever interrupts one only adds.
    """

    def __init__(self, curve: Mapping[int, float] | None = None) -> None:
        self.curve = dict(curve or {})
        self._lone: deque[float] = deque(maxlen=_LONE)
        self._since = 0  # batches, since the last lone row
        self._ratios: defaultdict[int, deque[float]] = defaultdict(partial(deque, maxlen=_KEPT))

    def note(self, rows: int, seconds: float) -> None:
        """A batch was made."""
        if rows == 1:
            self._lone.append(seconds)
            self._since = 0
            return
        self._since += 1
        if self._since > _NEAR:
            self._lone.clear()
        elif len(self._lone) == _LONE:
            self._ratios[rows].append(seconds / median(self._lone))

    def cost(self, rows: int) -> float:
        """Seconds of a batch of so many rows over those of a lone row."""
        known = (n for n, ratios in self._ratios.items() if n <= rows and len(ratios) >= _ENOUGH)
        narrower = max(known, default=1)
        wider = relative_cost(self.curve, rows) / relative_cost(self.curve, narrower)
        return wider * (self._ratio(narrower) if narrower > 1 else 1.0)

    def corrected(self) -> dict[int, float] | None:
        """The stored curve as this run finds it, seconds by rows, where the two differ by half; None: they agree."""
        seen = [n for n in self.curve if len(self._ratios.get(n, ())) == _KEPT]
        if not any(self._contradicts(n) for n in seen):
            return None
        return {n: self.cost(n) * self.curve[min(self.curve)] for n in self.curve}

    def _contradicts(self, rows: int) -> bool:
        difference = self._ratio(rows) / relative_cost(self.curve, rows)
        return not 1 / _CONTRADICTS < difference < _CONTRADICTS

    def _ratio(self, rows: int) -> float:
        seen = sorted(self._ratios[rows])
        return seen[len(seen) // 4]
