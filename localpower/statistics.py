"""Is this count table a sample of that law? The G-test, with its tail in logs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Fit(NamedTuple):
    """G statistic, degrees of freedom, and log of the chance of a G this large under the law."""

    g: float
    df: int
    log_p: float


def g_test(counts: Sequence[int] | NDArray[np.integer], law: Sequence[float] | NDArray[np.floating]) -> Fit:
    """G = 2 sum O ln(O/E) of counts (n,) against probabilities (n,) that sum to 1.

    The rarest cells are merged until every expectation is at least 5. A count where the law is 0 gives
    log_p = -inf. Raises ValueError on an empty table.
    """
    observed = np.asarray(counts, dtype=np.float64)
    expected = np.asarray(law, dtype=np.float64) * observed.sum()
    if observed.sum() <= 0:
        raise ValueError("no counts to test")
    if (observed[expected == 0] > 0).any():
        return Fit(math.inf, 0, -math.inf)
    order = np.argsort(expected)
    cells: list[tuple[float, float]] = []
    pool_o = pool_e = 0.0
    for i in order:
        pool_o, pool_e = pool_o + observed[i], pool_e + expected[i]
        if pool_e >= 5.0:
            cells.append((pool_o, pool_e))
            pool_o = pool_e = 0.0
    if pool_e > 0 and cells:
        cells[-1] = (cells[-1][0] + pool_o, cells[-1][1] + pool_e)
    g = max(2.0 * sum(o * math.log(o / e) for o, e in cells if o > 0), 0.0)
    df = max(len(cells) - 1, 0)
    return Fit(g, df, log_chi_square_tail(g, df))


def log_chi_square_tail(x: float, df: int) -> float:
    """log P(chi-square_df >= x): the regularised upper incomplete gamma function Q(df/2, x/2)."""
    if df == 0 or x <= 0.0:
        return 0.0
    a, half = df / 2.0, x / 2.0
    log_scale = a * math.log(half) - half - math.lgamma(a)
    if half < a + 1.0:  # series for the lower tail (Abramowitz & Stegun 6.5.29)
        term = total = 1.0 / a
        n = a
        while term > total * 1e-17:
            n += 1.0
            term *= half / n
            total += term
        return math.log1p(-min(total * math.exp(log_scale), 1.0 - 1e-16))
    # continued fraction for the upper tail (6.5.31), by Lentz's method
    b = half + 1.0 - a
    c, d = 1e300, 1.0 / b
    fraction = d
    for i in range(1, 10_000):
        numerator = -i * (i - a)
        b += 2.0
        d = 1.0 / (numerator * d + b)
        c = b + numerator / c
        fraction *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return log_scale + math.log(fraction)


class Series(NamedTuple):
    """What the steps of chains are worth. tau: integrated autocorrelation time, in steps; ess: independent draws.

    Both None where the chains are too short to say: `needs` steps each would do.
    """

    tau: float | None
    ess: float | None
    needs: int | None


_WINDOW = 5.0  # of the sum of autocorrelations, in times of tau (Sokal)
_TRUST = 50  # a chain of fewer tau than this does not know its tau (the rule of emcee's documentation)
_FEW = 4


def autocorrelation_time(chains: Sequence[Sequence[float]]) -> Series:
    """Integrated autocorrelation time of chains of one length, by Sokal's window over their mean autocovariance.

    Constant chains have none, and no length is known to suffice. Source: Sokal 1997, Goodman & Weare 2010.
    """
    values = np.array(chains, dtype=np.float64)
    n = values.shape[1]
    if n < _FEW or np.ptp(values) == 0.0:
        return Series(None, None, _TRUST if n < _FEW else None)
    centred = values - values.mean()
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.abs(np.fft.rfft(centred, size)) ** 2
    covariance = np.fft.irfft(spectrum, size)[:, :n].mean(axis=0)
    taus = 2.0 * np.cumsum(covariance / covariance[0]) - 1.0
    long_enough = np.flatnonzero(np.arange(n) >= _WINDOW * taus)
    tau = max(float(taus[long_enough[0] if len(long_enough) else -1]), 1.0)
    if n < _TRUST * tau:
        return Series(None, None, math.ceil(_TRUST * tau))
    return Series(tau, values.size / tau, None)


def split_r_hat(chains: Sequence[Sequence[float]]) -> float | None:
    """Split R-hat of chains of one length: near 1 when halves of all agree. None: fewer than 4 values, or no change.

    Source: Gelman et al., Bayesian Data Analysis, third edition, section 11.4.
    """
    values = np.array(chains, dtype=np.float64)
    half = values.shape[1] // 2
    if half < _FEW // 2:
        return None
    parts = np.concatenate((values[:, :half], values[:, -half:]))
    within = float(parts.var(axis=1, ddof=1).mean())
    between = float(half * parts.mean(axis=1).var(ddof=1))
    if within == 0.0:
        return None if between == 0.0 else math.inf
    return math.sqrt((half - 1) / half + between / (half * within))
