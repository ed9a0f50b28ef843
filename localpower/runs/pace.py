"""How quick a run is, measured while it runs: what budgets in seconds and the time of a plain answer rest on."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from statistics import median

_RECENT = 16  # batches that tell the speed of now
_CAREFUL = 0.95  # of the time left that is planned with: batches differ
_MANY = 1 << 30


class Pace:
    """Hears of every batch just before it is evaluated. clock: seconds.

    The time between two batches is that of the first of them, of weighing and drawing, and of whatever watches.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._deadline: float | None = None
        self._last: tuple[float, int] | None = None
        self._recent: dict[int, deque[float]] = {}
        self._opening: float | None = None

    def start(self, seconds: float | None) -> None:
        """The run begins; it may take so many seconds."""
        now = self._clock()
        self._deadline = None if seconds is None else now + seconds
        self._last = self._opening = None
        self._recent.clear()

    def batch(self, rows: int) -> None:
        """A batch of so many rows is about to be evaluated."""
        now = self._clock()
        if self._last is not None:
            before, n = self._last
            if self._opening is None:  # it read the prompt
                self._opening = now - before
            else:
                self._recent.setdefault(n, deque(maxlen=_RECENT)).append(now - before)
        self._last = now, rows

    @property
    def reading(self) -> float:
        """Seconds of the first batch, which read the prompt."""
        return self._opening or 0.0

    def out(self) -> bool:
        """Whether the seconds are over."""
        return self._deadline is not None and self._clock() > self._deadline

    def seconds(self, rows: int) -> float | None:
        """Of a batch of so many rows, as lately seen; None: there was none."""
        return median(self._recent[rows]) if rows in self._recent else None

    def tokens_left(self, chains: int) -> int:
        """How many tokens each chain can draw in the time that is left, by the batches seen lately."""
        if self._deadline is None or self._last is None:
            return _MANY
        if not self._recent:  # no token takes longer than the prompt did
            each = max(self._clock() - self._last[0], self._opening or 0.0, 1e-9)
            return max(int((self._deadline - self._clock()) / each), 0)
        now = self._last[1]
        rows = min(self._recent, key=lambda n: abs(n - now))  # of a width never seen: by the nearest that was
        each = median(self._recent[rows]) * chains / rows
        return max(int(_CAREFUL * (self._deadline - self._clock()) / each), 0)

    def plain_seconds(self, n_tokens: int, cost: Callable[[int], float]) -> float | None:
        """Seconds of a plain answer of so many tokens, one row at a time, with as much of its prompt as the run read.

        cost(rows): of a batch of rows over a lone one, for runs that had no lone row. None: nothing was measured.
        """
        if not self._recent or self._opening is None:
            return None
        rows = min(self._recent)
        row = median(self._recent[rows]) / cost(rows)
        return self._opening + n_tokens * row
