"""Two models on the same problems: pass@k, solved sets, Cover@tau and the sharpening tax, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from localpower.evals.bootstrap import difference_intervals, mean_intervals
from localpower.evals.coverage import Crossing, cover_at, crossings, token_crossings
from localpower.evals.overlap import SolvedSets, solved_sets
from localpower.evals.samples import Samples, Whole
from localpower.evals.sharpening_tax import Tax, sharpening_tax
from localpower.statistics import Floats, Interval, wilson

TAUS = (0.1, 0.25, 0.5, 0.75, 0.9)


@dataclass(frozen=True, slots=True)
class Point:
    """A share of both models, and tuned - base. at: k of pass@k, or tau of Cover@tau."""

    at: float
    base: Interval
    tuned: Interval
    difference: Interval


@dataclass(frozen=True, slots=True)
class Pair:
    """k: samples of each problem that solved sets, Cover@tau and the tax are of. tax: None of one sample.

    crossings: of the mean curves of pass@k, x in samples; token_crossings: at equal tokens drawn, x in tokens.
    tokens: drawn for a sample of base and tuned.
    """

    n_problems: int
    k: int
    passes: tuple[Point, ...]
    crossings: tuple[Crossing, ...]
    tokens: tuple[float, float]
    token_crossings: tuple[Crossing, ...]
    solved: SolvedSets
    cover: tuple[Point, ...]
    tax: Tax | None


def pair(
    names: Sequence[str],
    base: Samples,
    tuned: Samples,
    k: int,
    part: slice = slice(None),
    taus: Sequence[float] = TAUS,
) -> Pair:
    """Of problems with at least k samples on both sides.

    pass@k is of all samples, for it has no bias whatever their number; what has one is of the first k on both sides.
    part: of each problem's samples, those that are looked at at all. Raises ValueError for fewer than k samples.
    """
    sides = [side if part == slice(None) else side.only(part) for side in (base, tuned)]
    tables = [side.table(names, k) for side in sides]
    costs = [float(side.costs(names).mean()) for side in sides]
    first = [side.among(names, slice(k)) for side in sides]
    curves = [table.mean(axis=0) for table in tables]
    ks = doublings(k)
    columns = [table[:, [each - 1 for each in ks]] for table in tables]
    return Pair(
        n_problems=len(names),
        k=k,
        passes=_points(ks, columns[0], columns[1], [mean_intervals(each) for each in columns]),
        crossings=tuple(crossings(range(1, k + 1), curves[0].tolist(), curves[1].tolist())),
        tokens=(costs[0], costs[1]),
        token_crossings=tuple(token_crossings(curves[0], curves[1], (costs[0], costs[1]))),
        solved=solved_sets(names, first[0].tolist(), first[1].tolist(), k),
        cover=_cover(first[0], first[1], k, taus),
        tax=sharpening_tax(tables[0], tables[1]) if k > 1 else None,
    )


def doublings(most: int) -> list[int]:
    """1, 2, 4, ... and the most."""
    return sorted({*(2**i for i in range(most.bit_length()) if 2**i <= most), most})


def _cover(base: Whole, tuned: Whole, k: int, taus: Sequence[float]) -> tuple[Point, ...]:
    """One problem is one trial: Wilson's interval."""
    columns = [cover_at(right, k, taus).astype(np.float64) for right in (base, tuned)]
    alone = [[wilson(int(column.sum()), len(column)) for column in each.T] for each in columns]
    return _points(taus, columns[0], columns[1], alone)


def _points(
    ats: Sequence[float], base: Floats, tuned: Floats, alone: Sequence[Sequence[Interval]]
) -> tuple[Point, ...]:
    between = difference_intervals(base, tuned)
    return tuple(Point(*each) for each in zip(ats, alone[0], alone[1], between, strict=True))
