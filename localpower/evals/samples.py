"""What is counted of a group's answers: right ones and tokens drawn, problem by problem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from localpower.evals.coverage import Bools, pass_table
from localpower.evals.groups import Group
from localpower.evals.store import Row
from localpower.statistics import Floats

Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Samples:
    """Graded answers by problem, in order of their samples. right: whether each is."""

    rows: dict[str, list[Row]]
    right: dict[str, Bools]

    @classmethod
    def of(cls, group: Group) -> Samples:
        """Without the answers that nobody has graded."""
        rows = {
            name: graded
            for name, each in group.items.items()
            if (graded := [row for row in each if row["verdict"] != "ungraded"])
        }
        right = {name: np.array([row["verdict"] == "right" for row in each]) for name, each in rows.items()}
        return cls(rows, right)

    def only(self, part: slice) -> Samples:
        """A part of each problem's samples, without the problems that have none there."""
        rows = {name: each[part] for name, each in self.rows.items() if each[part]}
        return Samples(rows, {name: self.right[name][part] for name in rows})

    def sizes(self, names: Sequence[str]) -> Whole:
        """Number of samples of each problem."""
        return np.array([len(self.right[name]) for name in names], np.int64)

    def among(self, names: Sequence[str], part: slice = slice(None)) -> Whole:
        """Number of right ones of each problem, among a part of its samples."""
        return np.array([self.right[name][part].sum() for name in names], np.int64)

    def table(self, names: Sequence[str], most: int) -> Floats:
        """pass@1 to pass@most by problem, from all samples."""
        return pass_table(self.among(names), self.sizes(names), most)

    def costs(self, names: Sequence[str]) -> Floats:
        """Tokens drawn for a sample, mean of each problem; rejected ones count."""
        return np.array([fmean(row["decoded_tokens"] for row in self.rows[name]) for name in names])

    def share(self, names: Sequence[str], field: str, *values: str) -> float:
        """Of the answers whose field has one of the values, mean over problems."""
        return fmean(fmean(row[field] in values for row in self.rows[name]) for name in names)

    def distinct(self, names: Sequence[str], field: str, k: int) -> float:
        """How many answers with different values of a field are expected among k samples, mean over problems."""
        place: list[int] = []
        counts: list[int] = []
        sizes: list[int] = []
        for i, name in enumerate(names):
            found = Counter(map(_hashable, (row[field] for row in self.rows[name])))
            place += [i] * len(found)
            counts += found.values()
            sizes += [len(self.rows[name])] * len(found)
        seen = pass_table(counts, sizes, k)[:, -1]
        return float(np.bincount(place, weights=seen).sum() / len(names))


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def most_used(sizes: Whole) -> int:
    """The number of samples k for which most answers are used: k times the problems with at least as many."""
    values = np.unique(sizes)
    used = [k * int((sizes >= k).sum()) for k in values]
    return int(max(zip(used, values.tolist(), strict=True))[1])
