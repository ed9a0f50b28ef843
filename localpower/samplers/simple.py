"""The sampler of a method that only says how one run goes: what a method of twenty lines needs no code for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from localpower.chance import Dice
from localpower.events import Event, Finished
from localpower.methods import Method, Target
from localpower.model import Model, Tokens
from localpower.samplers.base import Guarantee
from localpower.samplers.budget import Budget, Room


@dataclass(frozen=True, slots=True)
class SimpleSampler:
    """Runs `of.run`. A budget shortens the answers, by what a run is expected to draw."""

    of: Method
    target: Target
    budget: Budget | None = None

    @property
    def method(self) -> str:
        """Its name."""
        return self.of.name

    @property
    def guarantee(self) -> Guarantee:
        """As the method says."""
        return self.of.guarantee

    @property
    def width(self) -> int:
        """As the method says."""
        return self.of.width()

    def settings(self) -> dict[str, Any]:
        """Plain JSON values: those of the method, and the target's."""
        keys = (*self.of.uses(), *(option.key for option in self.of.options()))
        own = {key: getattr(self.of, key) for key in keys if getattr(self.of, key) is not None}
        alpha = self.of.power(self.target.alpha)
        return {"temperature": 1.0, "max_tokens": self.target.max_tokens, **own, "alpha": alpha}

    def expected_cost(self) -> float:
        """As the method says."""
        return self.of.expected_cost()

    def fit(self, room: Room) -> tuple[SimpleSampler, str]:
        """The same run of shorter answers."""
        longest = self._longest(room.tokens(self.width))
        return self, f"answers of at most {longest} tokens" if longest < self.target.max_tokens else ""

    def run(self, model: Model, prompt: Tokens, dice: Dice) -> Iterator[Event]:
        """One run of the method."""
        limit = self.budget.limit(self.target.max_tokens) if self.budget else None
        longest = self.target.max_tokens if limit is None else self._longest(limit)
        for event in self.of.run(model, prompt, dice, replace(self.target, max_tokens=longest)):
            if isinstance(event, Finished) and event.finish == "length" and longest < self.target.max_tokens:
                yield replace(event, finish="budget")
            else:
                yield event

    def _longest(self, limit: int) -> int:
        return max(min(int(limit / self.of.expected_cost()), self.target.max_tokens), 1)
