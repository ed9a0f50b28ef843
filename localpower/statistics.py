"""What numbers can say and what they cannot: samples of a law, chains, and benchmarks of few items."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_WINDOW = 5.0  # of the sum of autocorrelations, in times of tau (Sokal)
_TRUST = 50  # a chain of fewer tau than this does not know its tau (the rule of emcee's documentation)
_FEW = 4
Z = 1.959963984540054  # of 95 %
_POWER = 0.8416212335729143  # of 80 %
RESAMPLES = 4000
_COUNTED = 12  # items whose signs are all counted: 4,096 ways
SEED = 20251125  # of the bootstrap: the same rows give the same interval

Floats = NDArray[np.float64]


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


class Interval(NamedTuple):
    """A value and the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def wilson(right: int, n: int) -> Interval:
    """Share of right ones among n independent items. Raises ValueError for n = 0. Source: Wilson 1927."""
    if not 0 <= right <= n or n == 0:
        raise ValueError(f"{right} of {n} is no share")
    share, z2 = right / n, Z * Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return Interval(share, 0.0 if right == 0 else middle - half, 1.0 if right == n else middle + half)


def clustered(items: Sequence[Sequence[float]]) -> Interval:
    """Mean over items of the mean of each item's samples, items being what is drawn anew: normal, clipped to 0..1.

    Where no two items differ the interval of as many single answers is given, which is not empty. Source: Miller 2024,
    arXiv 2411.00640, section 2.2. Raises ValueError without items.
    """
    means = np.array([float(np.mean(samples)) for samples in items])
    if len(means) == 0:
        raise ValueError("no items")
    if len(means) < 2 or np.ptp(means) == 0.0:
        return alike(means)
    value = float(means.mean())
    half = Z * float(means.std(ddof=1)) / math.sqrt(len(means))
    return Interval(value, max(value - half, 0.0), min(value + half, 1.0))


def alike(shares: Floats) -> Interval:
    """Mean of items that do not differ, of which a bootstrap would claim certainty: that of as many single answers."""
    value, n = float(shares.mean()), len(shares)
    right = round(value * n, 6)
    return Interval(
        value, min(wilson(math.floor(right), n).low, value), max(wilson(math.ceil(right), n).high, value)
    )


def percentiles(value: float, resampled: Floats) -> Interval:
    """The middle 95 % of what a bootstrap gave, and never without the value itself."""
    low, high = np.quantile(resampled, (0.025, 0.975))
    return Interval(float(value), min(float(low), float(value)), max(float(high), float(value)))


def share_right(items: Sequence[Sequence[bool]]) -> Interval:
    """Share of right answers: Wilson's interval where every item has one, else clustered. Raises ValueError without."""
    if all(len(samples) == 1 for samples in items):
        return wilson(sum(samples[0] for samples in items), len(items))
    return clustered(items)


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided p value of the exact McNemar test: whether items that one of two gets right favour either.

    only_first, only_second: items right under one alone. Binomial with 1/2, so at least as honest as chi-square.
    """
    n, least = int(only_first + only_second), int(min(only_first, only_second))
    if n == 0:
        return 1.0
    tail = sum(math.comb(n, k) for k in range(least + 1))
    return min(float(Fraction(2 * tail, 2**n)), 1.0)


def paired_difference(first: Sequence[float], second: Sequence[float]) -> Interval:
    """Mean of second - first over the same items, with a percentile bootstrap over items."""
    difference = np.asarray(second, dtype=np.float64) - np.asarray(first, dtype=np.float64)
    value = float(difference.mean())
    if np.ptp(difference) == 0.0:  # as many items that differ as may go unseen
        unseen = wilson(0, len(difference)).high
        return Interval(value, max(value - unseen, -1.0), min(value + unseen, 1.0))
    return percentiles(value, difference[_resampled(len(difference))].mean(axis=1))


def sign_flip(first: Sequence[float], second: Sequence[float]) -> float:
    """Two-sided p value: how often the mean difference is as far from 0 when each item's sign is a coin's.

    For items with several samples each; with single answers McNemar's test is its exact form. All signs are counted
    for up to 12 items that differ, else 4,000 are drawn.
    """
    difference = np.asarray(second, dtype=np.float64) - np.asarray(first, dtype=np.float64)
    difference = difference[difference != 0.0]
    n = len(difference)
    if n <= _COUNTED:
        signs = (np.arange(1 << n)[:, None] >> np.arange(n) & 1) * 2 - 1
    else:
        signs = np.random.Generator(np.random.PCG64(SEED)).integers(0, 2, (RESAMPLES, n)) * 2 - 1
    sums = np.abs((signs * difference).sum(axis=1))
    far = int((sums >= abs(float(difference.sum())) - 1e-12).sum())
    return far / len(signs) if n <= _COUNTED else (far + 1) / (RESAMPLES + 1)


def pass_at(k: int, n: int, right: int) -> float:
    """Chance that one of k of the n samples, drawn without replacement, is right: unbiased for pass@k.

    Raises ValueError for k > n. Source: Chen et al. 2021, arXiv 2107.03374, equation 1.
    """
    if not 1 <= k <= n or not 0 <= right <= n:
        raise ValueError(f"pass@{k} is not defined for {right} right of {n}")
    if n - right < k:
        return 1.0
    return 1.0 - math.prod(1.0 - k / i for i in range(n - right + 1, n + 1))


def pass_curve(items: Sequence[Sequence[bool]]) -> list[tuple[int, Interval]]:
    """pass@k for k = 1, 2, 4, ... and the most samples an item has, with a bootstrap over items.

    Each k is of the items with at least k samples, by all of their samples: an interrupted run has fewer of some.
    The bootstrap is not over an item's samples too: items are drawn with theirs, so that both kinds of chance are in
    the band, and samples drawn twice are fewer different ones, which pulls pass@n far below itself.
    """
    n = max((len(samples) for samples in items), default=0)
    ks = sorted({*(2**i for i in range(n.bit_length()) if 2**i <= n), n} - {0})
    curve = []
    for k in ks:
        solved = np.array([pass_at(k, len(each), sum(each)) for each in items if len(each) >= k])
        if np.ptp(solved) == 0.0:
            curve.append((k, alike(solved)))
        else:
            curve.append((k, percentiles(solved.mean(), solved[_resampled(len(solved))].mean(axis=1))))
    return curve


def items_needed(difference: float, discordant: float) -> int | None:
    """Items at which a paired difference as seen would be told from none (5 % level, 80 % power); None: no difference.

    discordant: share of items that one of the two alone gets right (with several samples: the mean squared difference).
    Source: Connor 1987, sample size for McNemar's test.
    """
    gap = abs(difference)
    if gap < 1e-12:
        return None
    spread = math.sqrt(max(discordant - gap * gap, 0.0))
    return math.ceil((Z * math.sqrt(max(discordant, gap * gap)) + _POWER * spread) ** 2 / gap**2)


def _resampled(n: int) -> NDArray[np.intp]:
    """Indices (resamples, n) of a bootstrap over n items."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    return rng.integers(0, n, (RESAMPLES, n))
