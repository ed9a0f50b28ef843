"""The sharpening tax: what is lost of the gain that more samples bring (Oh et al. 2026, arXiv 2610.01509).

A(K) is the sum over k < K of pass@K - pass@k: the expected number of failed samples before the first right one, of
problems that K samples solve. S(K) = A(K) / ((K - 1) (1 - pass@1)), from 0 to 1, is its share of what it could be. A
problem that is always or never solved adds nothing to A. The tax is S of the base minus S of the tuned model.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from localpower.evals.bootstrap import resampled_means
from localpower.statistics import Floats, Interval, percentiles


class Tax(NamedTuple):
    """S(K) of two models on the same problems, and the tax: base - tuned. The bootstrap is over problems, in pairs."""

    k: int
    base: Interval
    tuned: Interval
    tax: Interval


def area(curve: Floats) -> Floats:
    """A(K) of curves (..., K) of pass@1 to pass@K."""
    return np.asarray((curve[..., -1:] - curve).sum(axis=-1))


def scalability(curve: Floats) -> Floats:
    """S(K) of curves (..., K); 0 where pass@1 is 1, for nothing is left to gain. Raises ValueError for K = 1."""
    most = curve.shape[-1]
    if most < 2:
        raise ValueError("S(K) needs pass@1 and pass@2 at least")
    room = (most - 1) * (1.0 - curve[..., 0])
    found: Floats = np.divide(area(curve), room, out=np.zeros(room.shape), where=room > 1e-12)
    return found


def sharpening_tax(base: Floats, tuned: Floats) -> Tax:
    """Of pass@1 to pass@K of each problem, (problems, K), in the same order of problems. Raises ValueError.

    Where no two problems differ a bootstrap would claim certainty: the interval is then all that S can be.
    """
    if base.shape != tuned.shape:
        raise ValueError("the tax is of the same problems and the same K")
    found = [scalability(curves.mean(axis=0)) for curves in (base, tuned)]
    again = [scalability(resampled_means(curves)) for curves in (base, tuned)]
    same = [bool((np.ptp(curves, axis=0) == 0.0).all()) for curves in (base, tuned)]
    alone = [
        Interval(float(value), 0.0, 1.0) if flat else percentiles(float(value), resampled)
        for value, resampled, flat in zip(found, again, same, strict=True)
    ]
    tax = float(found[0] - found[1])
    both = Interval(tax, -1.0, 1.0) if all(same) else percentiles(tax, again[0] - again[1])
    return Tax(base.shape[1], alone[0], alone[1], both)
