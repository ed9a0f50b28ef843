"""How many tokens a run may draw. Planned for before it starts, kept while it runs. Pure: no clock.

A state that is returned because a budget ran out in mid-chain is not from the target even in stationarity: its law is
about pi(x) E[cost of a step | x]. So steps are planned in rounds, each of a number that fits whatever its steps cost
(short of twice the usual), and a round begins only where at least one more does. What remains is that the number of
rounds depends on what earlier steps cost: a chain whose law must not depend on that has a fixed number of steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """tokens drawn at most; or times the tokens of a plain answer; or left: how many more may be drawn now.

    Exactly one is given.
    """

    tokens: int | None = None
    times: float | None = None
    left: Callable[[], int] | None = None

    def limit(self, plain: float) -> int:
        """In tokens, where a plain answer has `plain`, or is expected to have."""
        if self.left is not None:
            return self.left()
        return self.tokens if self.tokens is not None else int((self.times or 0.0) * plain)


@dataclass(frozen=True, slots=True)
class Room:
    """What a budget has room for. tokens(width): of a run that draws so many at a time; most: answers at once.

    given: names of the settings that were set by hand, and may only be lowered.
    """

    tokens: Callable[[int], int]
    most: int
    given: frozenset[str] = frozenset()

    def answers(self, longest: int, n: int, *, given: bool) -> int:
        """How many answers of that length fit at their own speed, at least 1; at most n where n is given by hand."""
        most = min(n, self.most) if given else self.most
        return max((k for k in range(1, most + 1) if self.tokens(k) // longest >= k), default=1)


class BudgetMeter:
    """What a run has drawn of its budget. out: whether more was asked for than is left."""

    def __init__(self, budget: Budget | None, plain: float) -> None:
        self._now = budget.left if budget else None
        self._limit = budget.limit(plain) if budget and not self._now else None
        self._times = budget.times if budget else None
        self.tokens = 0
        self.out = False

    def against(self, first: int, answers: int) -> None:
        """So many answers were first drawn with `first` tokens: a budget of plain answers is of their mean from now on.

        Not one that is smaller than these draws: it cuts them off.
        """
        if self._times is not None and self._times >= answers:
            self._limit = int(self._times * first / answers)

    @property
    def left(self) -> int | None:
        """Tokens that may still be drawn; None: any number."""
        if self._now is not None:
            return max(self._now(), 0)
        return None if self._limit is None else max(self._limit - self.tokens, 0)

    def takes(self, tokens: int, *, undecided: bool = False) -> int:
        """Count a piece of work that was drawn in one go; `out` where it exceeds the budget or was not finished.

        Returns how many of its tokens the budget had left: what a wider batch drew beyond them does not count.
        """
        kept = tokens if self._limit is None else min(tokens, self._limit - self.tokens)
        self.out = self.out or kept < tokens or undecided
        self.tokens += kept
        return kept

    def allows(self, tokens: int) -> bool:
        """Count so many more, unless they exceed the budget."""
        left = self.left
        if left is not None and tokens > left:
            self.out = True
            return False
        self.tokens += tokens
        return True
