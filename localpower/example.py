"""Two ways to sharpen a distribution over answers, in numbers small enough to follow: what `localpower explain` shows.

Low temperature raises the sum: the next token v gets (sum of p over all answers that go on with v)^alpha.
Power sampling sums the powers: v gets the sum of p^alpha over those answers, the first-token marginal of p^alpha.
Source: Karan & Du 2025, arXiv 2510.14901, Proposition 1 and Example 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

END = ""  # the token after a whole answer

Law = Mapping[str, float]  # answers, one character a token, and their probabilities

EXAMPLE: Law = {"aa": 0.0, "ab": 0.40, "ba": 0.25, "bb": 0.25}


@dataclass(frozen=True, slots=True)
class FirstToken:
    """A first token: the probabilities of the answers it leads to, and its share under each law (sums to 1)."""

    token: str
    parts: tuple[float, ...]
    base: float
    low_temperature: float
    power: float


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer and its share under each law."""

    text: str
    base: float
    low_temperature: float
    power: float


def first_tokens(law: Law, alpha: float) -> list[FirstToken]:
    """Shares of every first token, in the order of `law`. Needs an answer of positive probability."""
    groups = _branches(list(law.items()), 0)
    base = _shares([math.fsum(parts) for parts in groups.values()], 1.0)
    low = _shares([math.fsum(parts) for parts in groups.values()], alpha)
    power = _shares_of_logs([log_sum_of_powers(parts, alpha) for parts in groups.values()])
    return [
        FirstToken(token, tuple(parts), b, t, p)
        for (token, parts), b, t, p in zip(groups.items(), base, low, power, strict=True)
    ]


def answers(law: Law, alpha: float) -> list[Answer]:
    """Shares of every answer. Low temperature sharpens token after token, the end of an answer included."""
    items = list(law.items())
    base = _shares([p for _, p in items], 1.0)
    power = _shares([p for _, p in items], alpha)
    return [
        Answer(text, b, _low_temperature(items, text, alpha), p)
        for (text, _), b, p in zip(items, base, power, strict=True)
    ]


def _low_temperature(items: Sequence[tuple[str, float]], text: str, alpha: float) -> float:
    share = 1.0
    for depth in range(len(text) + 1):
        here = [(other, p) for other, p in items if other[:depth] == text[:depth]]
        groups = _branches(here, depth)
        sums = [math.fsum(parts) for parts in groups.values()]
        if not any(sums):
            return 0.0
        share *= _shares(sums, alpha)[list(groups).index(text[depth : depth + 1] or END)]
    return share


def _branches(items: Sequence[tuple[str, float]], depth: int) -> dict[str, list[float]]:
    """Probabilities by the token at `depth`."""
    groups: dict[str, list[float]] = {}
    for text, p in items:
        groups.setdefault(text[depth : depth + 1] or END, []).append(p)
    return groups


def _shares(values: Sequence[float], alpha: float) -> list[float]:
    """values^alpha, normalised: by logs, so that no power underflows to nothing."""
    return _shares_of_logs([alpha * math.log(v) if v > 0 else -math.inf for v in values])


def _shares_of_logs(logs: Sequence[float]) -> list[float]:
    top = max(logs)
    weights = [math.exp(value - top) for value in logs]
    total = math.fsum(weights)
    return [weight / total for weight in weights]


def log_sum_of_powers(values: Sequence[float], alpha: float) -> float:
    """log of the sum of values^alpha, nats; -inf where all are 0."""
    logs = [alpha * math.log(v) for v in values if v > 0]
    if not logs:
        return -math.inf
    top = max(logs)
    return top + math.log(math.fsum(math.exp(value - top) for value in logs))
