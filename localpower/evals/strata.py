"""Problems by how often the base solves them: where successes are rare, claims are made.

Quartiles of the same samples that are then compared would be chosen by their luck: a problem that the base solved by
chance looks easy, one that it missed looks hard. So one half of the base's samples, the even ones, says which quartile
a problem belongs to, and the other half, the odd ones of both models, is what is compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from localpower.evals.pairing import Pair, pair
from localpower.evals.samples import Samples

_CHOOSING, _COMPARED = slice(0, None, 2), slice(1, None, 2)


@dataclass(frozen=True, slots=True)
class Stratum:
    """low, high: right ones among the `of` samples of the base that chose, of the problems in it."""

    low: int
    high: int
    of: int
    pair: Pair


def strata(names: Sequence[str], base: Samples, tuned: Samples, k: int) -> tuple[Stratum, ...]:
    """Quartiles of the base's pass rate, fewer where many problems have the same; none for fewer than 2 samples."""
    if k < 2:
        return ()
    sides = [side.only(slice(k)) for side in (base, tuned)]
    chosen = sides[0].among(names, _CHOOSING)
    edges = np.unique(np.quantile(chosen, (0.25, 0.5, 0.75), method="inverted_cdf"))
    place = np.searchsorted(edges, chosen)
    found = []
    for i in range(len(edges) + 1):
        mine = np.flatnonzero(place == i).tolist()
        if mine:
            counts, some = chosen[mine], [names[j] for j in mine]
            compared = pair(some, sides[0], sides[1], k // 2, _COMPARED)
            found.append(Stratum(int(counts.min()), int(counts.max()), (k + 1) // 2, compared))
    return tuple(found)
