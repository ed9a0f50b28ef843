"""Does an answer go round in circles? Sharpening favours likely answers, and loops are likely."""

from __future__ import annotations

from collections.abc import Sequence

_RUN = 4  # tokens
LOOPING = 0.5  # share from which an answer is said to repeat itself


def repetition(tokens: Sequence[int]) -> float | None:
    """The share of the runs of 4 tokens that stood in the answer before, 0 to 1; None below two such runs."""
    runs = [tuple(tokens[i : i + _RUN]) for i in range(len(tokens) - _RUN + 1)]
    return 1.0 - len(set(runs)) / len(runs) if len(runs) >= 2 else None


def loops(tokens: Sequence[int]) -> bool:
    """Whether an answer repeats itself."""
    return (repetition(tokens) or 0.0) >= LOOPING
