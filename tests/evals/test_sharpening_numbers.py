"""The tax, the solved sets, the divergence and the bootstrap behind them: closed forms, enumeration, scipy."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from localpower.evals.bootstrap import difference_intervals, mean_intervals, resampled_means
from localpower.evals.coverage import pass_table
from localpower.evals.divergence import divergence
from localpower.evals.overlap import solved_sets, unseen_rate
from localpower.evals.sharpening_tax import area, scalability, sharpening_tax
from localpower.statistics import RESAMPLES, SEED, paired_difference, wilson


@pytest.mark.parametrize("p", [0.02, 0.3, 0.8])
def test_the_area_is_the_number_of_failures_before_a_success(p):
    """Proposition 1 of the paper: of a first success at sample j <= K, j - 1 samples failed."""
    most = 12
    curve = np.array([1 - (1 - p) ** k for k in range(1, most + 1)])
    expected = sum((j - 1) * p * (1 - p) ** (j - 1) for j in range(1, most + 1))
    assert float(area(curve)) == pytest.approx(expected)
    geometric = stats.geom(p)
    failures = sum((j - 1) * geometric.pmf(j) for j in range(1, most + 1))
    assert float(scalability(curve)) == pytest.approx(failures / ((most - 1) * (1 - p)))


def test_problems_that_are_always_or_never_solved_add_nothing():
    table = pass_table([0, 8, 0, 8], 8, 8)
    assert area(table).tolist() == [0, 0, 0, 0]
    assert float(scalability(table.mean(axis=0))) == 0.0


def test_where_nothing_is_left_to_gain_there_is_no_tax():
    solved = pass_table([4, 4, 4], 4, 4)
    found = sharpening_tax(solved, solved)
    assert (found.base.value, found.tuned.value, found.tax.value) == (0, 0, 0)
    assert (found.base.low, found.base.high) == (0, 1), "problems that are all alike say little"
    assert (found.tax.low, found.tax.high) == (-1, 1)


def test_of_one_sample_there_is_no_tax():
    with pytest.raises(ValueError, match="pass@2"):
        scalability(np.array([0.5]))
    with pytest.raises(ValueError, match="same problems"):
        sharpening_tax(pass_table([1], 2, 2), pass_table([1, 1], 2, 2))


def test_sharpening_to_the_extremes_is_taxed_and_the_pairing_narrows_its_interval():
    rng = np.random.default_rng(3)
    rates = rng.beta(1, 3, 120)
    base = pass_table(rng.binomial(16, rates), 16, 16)
    tuned = pass_table(np.where(rates > 0.2, 16, 0), 16, 16)
    found = sharpening_tax(base, tuned)
    assert found.tuned.value == 0.0
    assert found.tax.value == found.base.value - found.tuned.value
    assert found.tax.low > 0.1
    same = sharpening_tax(base, base).tax
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_the_resamples_of_the_tax_are_of_whole_problems():
    """As scipy's paired bootstrap with the same statistic has it, to the noise of its own resamples."""
    rng = np.random.default_rng(5)
    base = pass_table(rng.binomial(8, rng.beta(1, 2, 60)), 8, 8)
    tuned = pass_table(rng.binomial(8, rng.beta(2, 2, 60)), 8, 8)

    def tax(index):
        return scalability(base[index].mean(axis=0)) - scalability(tuned[index].mean(axis=0))

    again = stats.bootstrap((np.arange(60),), tax, method="percentile", vectorized=False, rng=np.random.default_rng(7),
                            n_resamples=4000).confidence_interval  # fmt: skip
    found = sharpening_tax(base, tuned).tax
    assert found.value == pytest.approx(float(tax(np.arange(60))))
    assert (found.low, found.high) == pytest.approx((again.low, again.high), abs=0.01)


@pytest.mark.parametrize("n", [1, 3, 50, 5000])
def test_resampled_means_are_those_of_problems_drawn_with_replacement(n):
    values = np.random.default_rng(1).normal(size=(n, 2))
    found = resampled_means(values)
    assert found.shape == (RESAMPLES, 2)
    np.testing.assert_allclose(
        found.mean(axis=0), values.mean(axis=0), atol=5 * values.std() / math.sqrt(n * RESAMPLES) + 1e-12
    )
    if n == 50:
        index = np.random.Generator(np.random.PCG64(SEED)).integers(0, n, (RESAMPLES, n))
        np.testing.assert_allclose(found, values[index].mean(axis=1), atol=1e-12)
    np.testing.assert_array_equal(found, resampled_means(values))


def test_an_interval_of_a_column_is_the_paired_bootstraps():
    rng = np.random.default_rng(2)
    first, second = rng.random((80, 3)), rng.random((80, 3))
    found = difference_intervals(first, second)
    for i in range(3):
        np.testing.assert_allclose(found[i], paired_difference(first[:, i], second[:, i]), atol=1e-12)
    flat = difference_intervals(np.zeros((10, 1)), np.zeros((10, 1)))[0]
    assert flat == paired_difference([0.0] * 10, [0.0] * 10)


def test_shares_that_do_not_differ_leave_an_interval():
    assert mean_intervals(np.ones((10, 1)))[0].low == pytest.approx(wilson(10, 10).low)
    assert mean_intervals(np.array([[0.0, 0.5], [0.0, 1.0]]))[0].high > 0.3
    with pytest.raises(ValueError, match="no problems"):
        mean_intervals(np.zeros((0, 1)))


def test_solved_sets_name_what_one_alone_solves_and_test_it_exactly():
    names = [f"p{i}" for i in range(10)]
    base = [0, 0, 1, 3, 5, 0, 0, 0, 0, 0]
    tuned = [0, 4, 0, 2, 5, 1, 1, 1, 1, 1]
    found = solved_sets(names, base, tuned, 5)
    assert (found.both, found.neither, found.base_only) == (2, 1, ("p2",))
    assert found.tuned_only == ("p1", "p5", "p6", "p7", "p8", "p9")
    assert found.p == pytest.approx(stats.binomtest(1, 7, 0.5).pvalue)


def test_a_problem_that_is_not_solved_may_have_a_rate_that_fails_once_in_twenty():
    for k in (1, 4, 64):
        assert (1 - unseen_rate(k)) ** k == pytest.approx(0.05)
    with pytest.raises(ValueError):
        unseen_rate(0)


def _law(first, then):
    """Answers of one or two tokens: `.` ends one; the second token is the last."""
    laws = {}
    for a, pa in first.items():
        if a == ".":
            laws[a] = pa
        else:
            laws |= {a + b: pa * pb for b, pb in then[a].items()}
    return laws


P = _law({"a": 0.5, "b": 0.3, ".": 0.2}, {"a": {"x": 0.9, "y": 0.1}, "b": {"x": 0.4, "y": 0.6}})
Q = _law({"a": 0.2, "b": 0.7, ".": 0.1}, {"a": {"x": 0.5, "y": 0.5}, "b": {"x": 0.8, "y": 0.2}})


@pytest.mark.parametrize(("p", "q"), [(P, Q), (Q, P), (P, P)])
def test_the_divergence_has_no_bias(p, q):
    """All pairs of draws with their probabilities: the mean of the estimate is the divergence itself."""
    true = float(stats.entropy(list(p.values()), [q[x] for x in p]))
    expected = 0.0
    for drawn in itertools.product(p, repeat=2):
        chance = math.prod(p[x] for x in drawn)
        under = [[[math.log(law[x]) for x in drawn]] for law in (p, q)]
        found = divergence(*under, [[len(x) for x in drawn]])
        expected += chance * found.per_answer
    assert expected == pytest.approx(true, abs=1e-12)


def test_the_error_of_a_divergence_is_that_of_a_mean_over_problems():
    drawn, other = [[-1.0, -2.0], [-3.0, -3.0], [-1.0, -1.0]], [[-2.0, -3.0], [-3.0, -7.0], [-1.0, -1.0]]
    found = divergence(drawn, other, [[2, 4], [3, 3], [1, 1]])
    assert found.per_answer == pytest.approx(1.0)
    assert found.error == pytest.approx(stats.sem([1.0, 2.0, 0.0]))
    assert found.per_token == pytest.approx(6 / 14)
    one = divergence(drawn[:1], other[:1], [[2, 4]])
    assert (one.error, one.n_problems, one.n) == (0.0, 1, 2)
    assert divergence([[-1.0]], [[-2.0]], [[1]]).error is None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_log_p_that_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match="finite"):
        divergence([[-1.0]], [[value]], [[1]])
    with pytest.raises(ValueError, match="no answers"):
        divergence([[-1.0], []], [[-1.0], []], [[1], []])
