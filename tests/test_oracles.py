"""Our own statistics against those of scipy and ArviZ, and how often intervals hold the truth: neither less nor more."""

from __future__ import annotations

import arviz_stats.base
import numpy as np
import pytest
from scipy import stats

from localpower.statistics import (
    Z,
    autocorrelation_time,
    clustered,
    g_test,
    log_chi_square_tail,
    pass_curve,
    split_r_hat,
    wilson,
)


@pytest.mark.parametrize("df", [1, 2, 3, 5, 10, 30, 101, 1000])
def test_the_chi_square_tail_is_scipys_from_certain_to_absurd(df):
    for x in (1e-9, 1e-3, 0.5 * df, df - 0.1, df, df + 0.1, df + 2.0, df + 2.1, 2 * df, 5 * df, 100 * df):
        expected = stats.chi2.logsf(x, df)
        if np.isfinite(expected):  # below 1e-308 scipy knows no logarithm
            assert log_chi_square_tail(x, df) == pytest.approx(expected, rel=1e-9, abs=1e-12), x
    assert log_chi_square_tail(3000, 30) == pytest.approx(-1422.796764933063, rel=1e-12), "mpmath, 40 digits"


def test_the_g_test_is_scipys_power_divergence():
    rng = np.random.default_rng(1)
    for cells in (2, 3, 7, 40):
        law = rng.dirichlet(np.full(cells, 5.0))
        counts = rng.multinomial(2000 * cells, law)  # no cell is merged
        found = g_test(counts, law)
        other = stats.power_divergence(counts, counts.sum() * law, lambda_="log-likelihood")
        assert (found.g, np.exp(found.log_p)) == (pytest.approx(other.statistic), pytest.approx(other.pvalue))
        assert found.df == cells - 1


def test_wilson_is_scipys():
    for right, n in ((0, 1), (1, 1), (3, 10), (25, 50), (999, 1000)):
        low, high = stats.binomtest(right, n).proportion_ci(method="wilson")
        assert wilson(right, n)[1:] == (pytest.approx(low, abs=1e-12), pytest.approx(high, abs=1e-12))


@pytest.mark.parametrize("n", [2, 3, 20, 500])
@pytest.mark.parametrize("samples", [1, 4])
def test_clustered_has_the_standard_error_of_the_items_means(n, samples):
    rng = np.random.default_rng(n)
    items = rng.uniform(0.45, 0.55, (n, samples))  # far from 0 and 1: nothing is clipped
    found = clustered(items.tolist())
    half = Z * stats.sem(items.mean(axis=1))
    assert found == pytest.approx((items.mean(), items.mean() - half, items.mean() + half))


@pytest.mark.parametrize("samples", [4, 16])
def test_clustered_intervals_hold_the_truth_19_times_in_20(samples):
    """400 runs of 60 items of chances from beta(2, 2): .90 to .98 (true .944: outside once in 1,500 choices of the seed)."""
    rng = np.random.default_rng(samples)
    held = 0
    for _ in range(400):
        found = clustered((rng.random((60, samples)) < rng.beta(2, 2, (60, 1))).tolist())
        held += found.low <= 0.5 <= found.high
    assert 0.90 < held / 400 < 0.98


def test_bands_of_pass_at_k_hold_the_truth_19_times_in_20(monkeypatch):
    """As above in 300 runs, .90 to .983: outside once in 150 choices of the seed."""
    monkeypatch.setattr("localpower.statistics.RESAMPLES", 500)
    rng = np.random.default_rng(5)
    held = {1: 0, 2: 0, 4: 0}
    for _ in range(300):
        items = (rng.random((60, 4)) < rng.beta(2, 2, (60, 1))).tolist()
        for k, band in pass_curve(items):
            failed = np.prod([(2 + i) / (4 + i) for i in range(k)])  # the mean of (1 - chance)^k
            held[k] += band.low <= 1 - failed <= band.high
    assert all(0.90 < count / 300 < 0.983 for count in held.values()), held


def walks(rho, n=20_000, chains=4):
    """Autoregressive chains (chains, n), each value rho times the last plus noise."""
    noise = np.random.default_rng(7).normal(size=(chains, n))
    for i in range(1, n):
        noise[:, i] += rho * noise[:, i - 1]
    return noise


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_independent_draws_are_as_many_as_arviz_and_the_formula_say(rho):
    values = walks(rho)
    found = autocorrelation_time(values)
    assert found.tau == pytest.approx((1 + rho) / (1 - rho), rel=0.1)
    assert found.ess == pytest.approx(arviz_stats.base.array_stats.ess(values, method="mean"), rel=0.1)


@pytest.mark.parametrize("shift", [0.0, 0.1, 3.0])
def test_split_r_hat_is_arvizs(shift):
    values = walks(0.5, n=100)
    values[0] += shift
    assert split_r_hat(values) == pytest.approx(
        arviz_stats.base.array_stats.rhat(values, method="split"), abs=1e-12
    )


def test_a_chain_that_is_too_short_is_refused_with_the_length_it_needs():
    found = autocorrelation_time(walks(0.9, 200))
    assert (found.tau, found.ess) == (None, None)
    assert found.needs > 200
    assert autocorrelation_time([[1.0, 2.0]]).needs == 50
    assert autocorrelation_time([[1.0] * 500]) == (None, None, None), "no length helps a constant"


def test_r_hat_of_chains_without_any_change_is_infinite_or_none():
    assert split_r_hat([[1.0] * 8, [2.0] * 8]) == np.inf
    assert split_r_hat([[1.0], [1.0]]) is None
