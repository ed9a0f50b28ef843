"""How many tokens a run may draw. Planned for before it starts, kept while it runs. Pure: no clock.

A state that is returned because a budget ran out in mid-chain is not from the target even in stationarity: its law is
about pi(x) E[cost of a step | x]. So the number of steps is fixed before the first of them, such that they fit.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """tokens drawn at most; or times the tokens of a plain answer. Exactly one is given."""

    tokens: int | None = None
    times: float | None = None

    def limit(self, plain: int) -> int:
        """In tokens, where a plain answer has `plain`."""
        return self.tokens if self.tokens is not None else int((self.times or 0.0) * plain)


class Spent:
    """What a run has drawn of its budget. out: whether more was asked for than is left."""

    def __init__(self, budget: Budget | None, plain: int) -> None:
        self._limit = budget.limit(plain) if budget else None
        self.tokens = 0
        self.out = False

    @property
    def left(self) -> int | None:
        """Tokens that may still be drawn; None: any number."""
        return None if self._limit is None else max(self._limit - self.tokens, 0)

    def takes(self, tokens: int, *, undecided: bool = False) -> int:
        """Count a piece of work that was drawn in one go; `out` where it exceeds the budget or was not finished.

        Returns how many of its tokens the budget had left: what a wider batch drew beyond them does not count.
        """
        kept = tokens if self.left is None else min(tokens, self.left)
        self.out = self.out or kept < tokens or undecided
        self.tokens += kept
        return kept

    def allows(self, tokens: int) -> bool:
        """Count so many more, unless they exceed the budget."""
        if self._limit is not None and self.tokens + tokens > self._limit:
            self.out = True
            return False
        self.tokens += tokens
        return True
