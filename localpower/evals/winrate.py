"""From judgements to a win rate, as it is and as it would be if answers were equally long.

Judges like long answers. A logistic fit of p on a constant and tanh(length difference / its standard deviation) tells
what the length did; the constant alone is what is left at equal length. The fit is made for one judge and one pair of
methods, so its result is a "local judge win rate", never AlpacaEval: that is one judge's, against fixed answers, with
terms for the difficulty of instructions.
Source   Dubois et al. 2024, arXiv 2404.04475; the variant that its code calls `length_controlled_minimal`. Theirs is
         fitted by liblinear with a cross-validated L1 penalty, ours by Newton's method with a small L2 penalty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from localpower.evals.judge import Judgement
from localpower.statistics import Interval, alike, percentiles

_TIE = 0.01  # nearer to 1/2 than this a judgement says nothing
_PENALTY = 1e-2  # of the squares, against the sum over items: separable data would send the fit to infinity
_RESAMPLES = 2000
_SEED = 20240406  # of the bootstrap: the same judgements give the same interval
_SETTLED = 1e-9  # of a Newton step
_MOST_STEPS = 200

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WinRate:
    """How often our answer is the better one, over the n items on which the judge's two orders do not disagree.

    raw: mean of p. length_controlled: the same at equal length; where all lengths differ by the same amount nothing
    can tell length from merit, and it is as good as `raw`. Both None where n is 0. n_dropped: items on which the
    orders disagree. n_ties: of the n, those with |p - 1/2| < 0.01. Of all items, dropped ones too: position_bias, the
    mean chance of the answer shown first less 1/2 (equal texts, which nobody asks about, count as unbiased), and the
    mean lengths.
    """

    raw: Interval | None
    length_controlled: Interval | None
    n: int
    n_dropped: int
    n_ties: int
    position_bias: float
    length_ours: float
    length_theirs: float


def win_rate(judgements: Sequence[Judgement], lengths: Sequence[tuple[int, int]]) -> WinRate:
    """lengths: of ours and theirs for each judgement, in one unit, usually characters. 95 % bootstrap over items.

    Raises ValueError without items, or where the two do not belong together.
    """
    if not judgements or len(judgements) != len(lengths):
        raise ValueError(f"{len(judgements)} judgements and {len(lengths)} pairs of lengths")
    orders = np.array([(each.first, each.second) for each in judgements], dtype=np.float64)
    sizes = np.array(lengths, dtype=np.float64)
    kept = np.array([not each.disagrees for each in judgements])
    p = np.array([each.p for each in judgements], dtype=np.float64)[kept]
    longer = (sizes[:, 0] - sizes[:, 1])[kept]
    n = len(p)
    raw = controlled = None
    if n:
        drawn = np.random.Generator(np.random.PCG64(_SEED)).integers(0, n, (_RESAMPLES, n))
        raw = percentiles(p.mean(), p[drawn].mean(axis=1))
        at_equal = at_equal_length(p[None], longer[None])[0]
        controlled = percentiles(at_equal, at_equal_length(p[drawn], longer[drawn]))
        if np.ptp(p) == 0.0:
            raw = alike(p)
            controlled = Interval(controlled.value, min(raw.low, at_equal), max(raw.high, at_equal))
    return WinRate(
        raw=raw,
        length_controlled=controlled,
        n=n,
        n_dropped=len(judgements) - n,
        n_ties=int((np.abs(p - 0.5) < _TIE).sum()),
        position_bias=float((orders[:, 0] - orders[:, 1]).mean() / 2.0),
        length_ours=float(sizes[:, 0].mean()),
        length_theirs=float(sizes[:, 1].mean()),
    )


def at_equal_length(p: Floats, longer: Floats) -> Floats:
    """Win rates (samples,) at length difference 0, of samples of p and of length differences, both (samples, items).

    Each sample's penalised log-likelihood is strictly concave. The step's damping makes Newton's method converge from
    anywhere: Sun & Tran-Dinh 2019, arXiv 1703.04599, for nu = 2 and M = sqrt(2), which no (1, x) is longer than.
    """
    x = np.tanh(_standardised(longer))
    constant, slope = np.zeros((2, len(p)))
    for _ in range(_MOST_STEPS):
        expected = _sigmoid(constant[:, None] + slope[:, None] * x)
        left, weight = p - expected, expected * (1.0 - expected)
        by_constant = left.sum(axis=1) - _PENALTY * constant
        by_slope = (left * x).sum(axis=1) - _PENALTY * slope
        tilted = weight * x
        h_cc, h_cs = weight.sum(axis=1) + _PENALTY, tilted.sum(axis=1)
        h_ss = (tilted * x).sum(axis=1) + _PENALTY
        determinant = h_cc * h_ss - h_cs * h_cs
        step = np.stack((h_ss * by_constant - h_cs * by_slope, h_cc * by_slope - h_cs * by_constant))
        step /= determinant
        far = np.sqrt(2.0) * np.hypot(*step)
        constant, slope = np.stack((constant, slope)) + step * np.log1p(far) / np.maximum(far, _SETTLED)
        if far.max() < _SETTLED:
            break
    return _sigmoid(constant)


def _standardised(longer: Floats) -> Floats:
    """Each sample's differences over their standard deviation, not centred: 0 stays 0. All 0 where they are alike."""
    n = longer.shape[1]
    spread = np.sqrt(np.square(longer - longer.mean(axis=1, keepdims=True)).sum(axis=1) / max(n - 1, 1))
    return longer / np.where(spread > 0.0, spread, np.inf)[:, None]


def _sigmoid(z: Floats) -> Floats:
    """1 / (1 + exp(-z)), for any z."""
    return np.asarray(0.5 + 0.5 * np.tanh(z / 2.0))
