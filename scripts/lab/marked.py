"""How numbers stand in the tables of docs/lab.md."""

from __future__ import annotations

from collections.abc import Sequence

from localpower.statistics import Interval


def told(interval: Interval, *, signed: bool = False) -> str:
    """A share with its interval."""
    sign = "+" if signed else ""
    return f"{interval.value:{sign}.3f} [{interval.low:{sign}.2f}, {interval.high:{sign}.2f}]"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown."""
    lines = [f"| {' | '.join(row)} |" for row in [header, ["---"] * len(header), *rows]]
    return "\n".join(lines)
