"""What is to come, told before it is done."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Forecast:
    """Answers that a task is still to get of a model, about how many tokens they draw, tokens a second.

    at_once: answers in a batch.
    """

    model: str
    task: str
    n: int
    tokens: float
    rate: float
    at_once: int
