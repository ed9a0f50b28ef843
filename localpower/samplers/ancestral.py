"""Plain and low-temperature sampling: one token after another.

Target   q(x) = prod_t p(x_t | x_<t)^(1/temperature) / Z(x_<t), the token-wise tempered model. Exact for it
         (tests/samplers/test_ancestral.py). At temperature 1 that is p itself; below 1 it is *not*
         p^alpha: each token is sharpened by itself, blind to what can follow it.
Cost     one row a token.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from localpower.chance import Dice
from localpower.completion import PLAIN, Completion, Rules
from localpower.events import Event
from localpower.methods import Method, Target, alpha_setting, temperature_setting
from localpower.model import Model, Tokens
from localpower.samplers.base import Guarantee, finished, grow, require
from localpower.samplers.budget import Budget, Room


@dataclass(frozen=True, slots=True)
class Ancestral:
    """One draw at a temperature (0: greedy). Raises UsageProblem for settings that can never be right."""

    method: str = "base"
    temperature: float = 1.0
    max_tokens: int = 256
    rules: Rules = PLAIN
    budget: Budget | None = None
    width: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Check the settings."""
        require("--temperature", self.temperature, 0.0)
        require("--max-tokens", self.max_tokens, 1)

    @property
    def guarantee(self) -> Guarantee:
        """`base` draws from p exactly; a draw token by token only approximates p^alpha, at any temperature."""
        return "exact" if self.method == "base" else "approximate"

    def settled(self, members: Sequence[Completion]) -> int:
        """All that is drawn."""
        return len(members[0])

    def settings(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"temperature": self.temperature, "max_tokens": self.max_tokens}

    def expected_cost(self) -> float:
        """One answer."""
        return 1.0

    def fit(self, room: Room) -> tuple[Ancestral, str]:
        """One answer, whatever the room."""
        most = room.tokens(1)
        return self, "one plain answer" + (f", cut off after {most} tokens" if most < self.max_tokens else "")

    def run(self, model: Model, prompt: Tokens, dice: Dice) -> Iterator[Event]:
        """Draw to the end, to max_tokens or as far as the budget goes."""
        most = self.budget.limit(self.max_tokens) if self.budget else self.max_tokens
        state = yield from grow(
            dice.spawn(0),
            model,
            prompt,
            Completion(),
            min(most, self.max_tokens),
            temperature=self.temperature,
            rules=self.rules,
            stage=0,
        )
        yield finished(state, self.rules, budget=not state.complete_at(self.max_tokens))


@dataclass(frozen=True, kw_only=True)
class Base(Method):
    """One draw from p itself, at temperature 1."""

    name = "base"
    guarantee = "exact"
    traces = True

    def sampler(self, target: Target) -> Ancestral:
        """A draw from p."""
        return Ancestral(self.name, 1.0, target.max_tokens, target.rules)


@dataclass(frozen=True, kw_only=True)
class LowTemperature(Method):
    """One draw in which each token is sharpened by itself: not p^alpha."""

    name = "low-temp"
    guarantee = "approximate"
    traces = True
    alpha: float | None = alpha_setting()
    temperature: float | None = temperature_setting()

    def sampler(self, target: Target) -> Ancestral:
        """A draw from the tempered model."""
        return Ancestral(self.name, self.proposal(target.alpha), target.max_tokens, target.rules)
