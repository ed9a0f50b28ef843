"""How an eval stands, folded from its answers. Pure: no clock, no terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from localpower.statistics import share_right


@dataclass
class Count:
    """Answers of one method to one task: right or not by item; None: nobody has judged it."""

    right: dict[str, list[bool]] = field(default_factory=dict)
    n: int = 0

    def add(self, row: Mapping[str, Any]) -> None:
        """One more answer."""
        self.n += 1
        if row["verdict"] != "ungraded":
            self.right.setdefault(row["id"], []).append(row["verdict"] == "right")

    def words(self) -> str:
        """Share of right answers, with its interval."""
        if not self.right:
            return "not graded" if self.n else ""
        share = share_right(list(self.right.values()))
        return f"accuracy {100 * share.value:.0f} % ({100 * share.low:.0f} to {100 * share.high:.0f})"


@dataclass
class EvalProgress:
    """A task of a model: answers by method, and what is still to come."""

    model: str = ""
    task: str = ""
    n_each: int = 0
    counts: dict[str, Count] = field(default_factory=dict)
    n_missing: int = 0
    n_made: int = 0
    expected: float = 0.0
    drawn: int = 0

    def begin(
        self, model: str, task: str, labels: Sequence[str], rows: Sequence[Mapping[str, Any]], n_each: int
    ) -> None:
        """A task's answers begin; rows are those that are there."""
        self.model, self.task, self.n_each = model, task, n_each
        self.n_missing = self.n_made = self.drawn = 0
        self.expected = 0.0
        self.counts = {label: Count() for label in labels}
        for row in rows:
            if row["method"] in self.counts:
                self.counts[row["method"]].add(row)

    def made(self, row: Mapping[str, Any]) -> None:
        """One more answer."""
        self.n_made += 1
        self.counts[row["method"]].add(row)

    def eta(self, elapsed: float) -> float | None:
        """Seconds to go: by tokens at first, by answers once some are done; None before there is a rate."""
        if not self.drawn or elapsed <= 0:
            return None
        rate = self.drawn / elapsed
        by_forecast = max(self.expected - self.drawn, 0.0) / rate
        if not self.n_made:
            return by_forecast
        each = self.drawn / self.n_made
        return (self.n_missing - self.n_made) * each / rate

    def line(self, elapsed: float) -> str:
        """Numbers of the task."""
        parts = [f"{self.task} on {self.model}", f"{self.n_made} of {self.n_missing} answers"]
        if elapsed > 0 and self.drawn:
            parts.append(f"{self.drawn / elapsed:.0f} tok/s")
        eta = self.eta(elapsed)
        if eta is not None:
            parts.append(f"eta {spell_seconds(eta)}")
        return " · ".join(parts)

    def lines(self) -> list[str]:
        """A line for each method."""
        width = max((len(label) for label in self.counts), default=0)
        return [
            f"{label.ljust(width)}  {count.n}/{self.n_each}  {count.words()}".rstrip()
            for label, count in self.counts.items()
        ]


def spell_seconds(seconds: float) -> str:
    """Such as 40 s, 12 min, 3 h 20 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
