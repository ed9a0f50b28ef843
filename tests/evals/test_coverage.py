"""pass@k, Cover@tau, equal tokens, crossings and distinct answers: against closed forms, enumeration and scipy."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from localpower.evals.coverage import cover_at, crossings, distinct_at, pass_at_tokens, pass_table
from localpower.evals.coverage import token_crossings as at_equal_tokens
from localpower.statistics import pass_at


def test_pass_at_k_is_the_hypergeometric_chance_of_a_right_one():
    for n in (1, 2, 7, 64, 200):
        for right in {0, 1, n // 3, n - 1, n}:
            (found,) = pass_table([right], [n], n)
            ks = np.arange(1, n + 1)
            np.testing.assert_allclose(found, 1 - stats.hypergeom.pmf(0, n, right, ks), atol=1e-12)
            np.testing.assert_allclose(found, [pass_at(int(k), n, right) for k in ks], atol=1e-12)


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.93, 1.0])
def test_a_model_of_known_solve_rate_has_pass_at_k_of_one_minus_its_failures_to_the_k(p):
    """Exactly, in expectation: every outcome of n draws with its probability."""
    n = 6
    expected = np.zeros(n)
    for drawn in itertools.product((0, 1), repeat=n):
        chance = math.prod(p if right else 1 - p for right in drawn)
        expected += chance * pass_table([sum(drawn)], [n], n)[0]
    np.testing.assert_allclose(expected, [1 - (1 - p) ** k for k in range(1, n + 1)], atol=1e-12)


def test_problems_may_have_different_numbers_of_samples_but_not_too_few():
    table = pass_table([1, 2, 0], [4, 8, 5], 4)
    np.testing.assert_allclose(table[:, 0], [1 / 4, 2 / 8, 0])
    np.testing.assert_allclose(table[1], [pass_at(k, 8, 2) for k in range(1, 5)])
    with pytest.raises(ValueError, match="pass@5 is not defined for 4 samples"):
        pass_table([1, 2], [4, 8], 5)
    with pytest.raises(ValueError, match="right is from 0 to n"):
        pass_table([5], [4], 1)


def test_distinct_answers_among_k_are_those_of_every_subset():
    answers = "aaabbcd"
    counts = [answers.count(letter) for letter in "abcd"]
    for k in range(1, 8):
        subsets = list(itertools.combinations(answers, k))
        assert distinct_at(counts, k) == pytest.approx(np.mean([len(set(some)) for some in subsets]))


def test_cover_at_tau_counts_a_rate_of_exactly_tau():
    found = cover_at([0, 1, 3, 9, 10], 10, [0.1, 0.3, 0.9, 1.0])
    assert found.sum(axis=0).tolist() == [4, 3, 2, 1]
    assert cover_at([7], [70], [0.1]).all()  # 7 / 70 is not quite .1 in floats
    with pytest.raises(ValueError, match="tau"):
        cover_at([1], [2], [0.0])


def test_a_budget_buys_a_mean_number_of_samples_and_exactly_the_pass_of_that_many():
    """A toy of two costs and rate p: N is 2 or 3, so that the tokens expected are the budget; all cases are counted."""
    p, costs, budget = 0.3, {10: 0.5, 30: 0.5}, 48.0  # a sample costs 20 on average: 2.4 samples
    curve = np.array([1 - (1 - p) ** k for k in range(1, 5)])
    tokens = solved = 0.0
    for n, chance_of_n in ((2, 0.6), (3, 0.4)):
        for drawn in itertools.product(itertools.product(costs, (True, False)), repeat=n):
            chance = chance_of_n * math.prod(costs[c] * (p if right else 1 - p) for c, right in drawn)
            tokens += chance * sum(c for c, _ in drawn)
            solved += chance * any(right for _, right in drawn)
    assert tokens == pytest.approx(budget)
    assert float(pass_at_tokens(curve, 20.0, budget)) == pytest.approx(solved)


def test_pass_at_tokens_is_pass_at_k_at_whole_numbers_and_nothing_beyond_the_samples():
    curve = np.array([0.2, 0.5, 0.6])
    found = [float(pass_at_tokens(curve, 7.0, budget)) for budget in (0, 7, 14, 21, 17.5, 3.5, 21.1)]
    np.testing.assert_allclose(found, [0, 0.2, 0.5, 0.6, 0.55, 0.1, math.nan])
    rows = pass_at_tokens(np.stack((curve, curve / 2)), np.array([7.0, 14.0]), 14.0)
    np.testing.assert_allclose(rows, [0.5, 0.1])


def test_samples_that_cost_nothing_are_bought_in_no_number():
    found = pass_at_tokens(np.array([0.4, 0.5]), np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    np.testing.assert_allclose(found, [math.nan, 0.4])
    assert at_equal_tokens(np.array([0.4, 0.5]), np.array([0.5, 0.4]), (0.0, 1.0)) == []


def test_one_third_of_a_sample_thrice_is_a_sample():
    assert float(pass_at_tokens(np.array([0.4, 0.5]), 0.1 + 0.2, 0.3 * 2)) == 0.5


def test_curves_cross_where_the_leader_changes():
    x = [1, 2, 3, 4]
    (found,) = crossings(x, [0.1, 0.3, 0.5, 0.7], [0.4, 0.4, 0.4, 0.4])
    assert (found.before, found.after, found.leader) == (2, 3, 1)
    assert found.x == pytest.approx(2.5)
    assert crossings(x, [0.1, 0.4, 0.3, 0.2], [0.4, 0.4, 0.4, 0.4]) == []  # touches
    assert crossings(x, [0.4] * 4, [0.4] * 4) == []
    (equal,) = crossings(x, [0.5, 0.4, 0.4, 0.3], [0.4] * 4)
    assert (equal.x, equal.before, equal.after, equal.leader) == (2, 1, 4, 0)
    assert len(crossings(x, [0.1, 0.5, 0.1, 0.5], [0.3] * 4)) == 3


@pytest.mark.parametrize(("p", "q"), [(0.05, 0.6), (0.01, 0.2)])
def test_a_narrow_model_is_overtaken_where_the_closed_forms_say(p, q):
    """The tuned model solves half of the problems, with chance q; the base all of them, with chance p."""
    ks = np.arange(1, 400)
    base, tuned = 1 - (1 - p) ** ks, 0.5 * (1 - (1 - q) ** ks)
    (found,) = crossings(ks.tolist(), base.tolist(), tuned.tolist())
    assert found.leader == 1
    first = next(k for k in ks if 1 - (1 - p) ** k > 0.5 * (1 - (1 - q) ** k))
    assert (found.before, found.after) == (first - 1, first)


def test_at_equal_tokens_a_cheaper_model_is_ahead_where_it_is_behind_at_equal_k():
    base, tuned = np.array([0.2, 0.3, 0.38, 0.44]), np.array([0.35, 0.36, 0.37, 0.38])
    (by_k,) = crossings([1, 2, 3, 4], base.tolist(), tuned.tolist())
    (by_tokens,) = at_equal_tokens(base, tuned, (10.0, 20.0))
    assert by_k.before == 2
    # at 20 tokens the base has .30 and the tuned .35; at 30 the base has .38 and the tuned .355
    assert (by_tokens.before, by_tokens.after, by_tokens.leader) == (20, 30, 1)
    assert by_tokens.x == pytest.approx(20 + 10 * 0.05 / (0.05 + 0.025))
