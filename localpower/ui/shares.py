"""Shares and their differences as a sharpening report writes them."""

from __future__ import annotations

from collections.abc import Sequence

from localpower.statistics import Interval


def share_long(share: Interval) -> str:
    """A share with its interval, in percent."""
    return f"{100 * share.value:.1f} ({100 * share.low:.0f} to {100 * share.high:.0f})"


def share_short(share: Interval) -> str:
    """The same for narrow columns."""
    return f"{100 * share.value:.0f} ({100 * share.low:.0f}-{100 * share.high:.0f})"


def share_bare(share: Interval) -> str:
    """The share alone."""
    return f"{100 * share.value:.0f}"


def gap_long(gap: Interval) -> str:
    """A difference of shares with its interval, in points."""
    return f"{rounded(100 * gap.value, 1):+.1f} ({_ends(gap)})"


def gap_short(gap: Interval) -> str:
    """The same for narrow columns."""
    return f"{rounded(100 * gap.value, 0):+.0f} ({_ends(gap)})"


def _ends(gap: Interval) -> str:
    return " to ".join(f"{rounded(100 * end, 0):.0f}" for end in (gap.low, gap.high))


def rounded(value: float, digits: int) -> float:
    """Without a minus before 0."""
    return round(value, digits) + 0.0


def p_value(p: float) -> str:
    """The p of a test."""
    return "<.001" if p < 0.001 else f"{p:.3f}".removeprefix("0")


def some(values: Sequence[int], most: int = 5) -> list[int]:
    """At most so many values, the first and the last among them."""
    n = min(len(values), most)
    return [values[round(i * (len(values) - 1) / max(n - 1, 1))] for i in range(n)]
