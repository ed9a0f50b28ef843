"""What batches of so many rows cost, as a run finds them while it draws."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from functools import partial

from localpower.width import relative_cost

_KEPT, _ENOUGH = 32, 8  # batches
_CONTRADICTS = 1.5


class Prices:
    """What batches cost in this run: seconds by rows, of those that were made, else of a curve that was stored.

    A curve was measured at another time, beside other work or none. So its seconds are scaled to what this run has
    seen of the next narrower batch. A low quartile of the last batches counts: whatever interrupts one only adds.
    """

    def __init__(self, curve: Mapping[int, float] | None = None) -> None:
        self.curve = dict(curve or {})
        self._seen: defaultdict[int, deque[float]] = defaultdict(partial(deque, maxlen=_KEPT))

    def note(self, rows: int, seconds: float) -> None:
        """A batch was made."""
        self._seen[rows].append(seconds)

    def cost(self, rows: int) -> float:
        """Seconds of a batch of so many rows over those of a lone row."""
        narrower = max((n for n in self._seen if n <= rows and self._known(n)), default=None)
        lone = self._seconds(1) if self._known(1) else None
        if narrower is None or lone is None:
            return relative_cost(self.curve, rows)
        wider = relative_cost(self.curve, rows) / relative_cost(self.curve, narrower)
        return self._seconds(narrower) * wider / lone

    def corrected(self) -> dict[int, float] | None:
        """The stored curve as this run finds it, seconds by rows, where the two differ by half; None: they agree."""
        seen = [n for n, batches in self._seen.items() if n > 1 and len(batches) == _KEPT]
        if not self._known(1) or not any(self._contradicts(n) for n in seen):
            return None
        return {n: self.cost(n) * self._seconds(1) for n in self.curve}

    def _contradicts(self, rows: int) -> bool:
        ratio = self.cost(rows) / relative_cost(self.curve, rows)
        return not 1 / _CONTRADICTS < ratio < _CONTRADICTS

    def _known(self, rows: int) -> bool:
        return len(self._seen.get(rows, ())) >= _ENOUGH

    def _seconds(self, rows: int) -> float:
        seen = sorted(self._seen[rows])
        return seen[len(seen) // 4]
