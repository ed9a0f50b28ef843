"""What a share of few items can say: identities, enumeration, and how often intervals hold what they should."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from localpower.statistics import (
    clustered,
    items_needed,
    mcnemar,
    paired_difference,
    pass_at,
    pass_curve,
    share_right,
    sign_flip,
    wilson,
)


def test_wilson_never_claims_certainty():
    assert wilson(0, 10).low == 0.0
    assert wilson(0, 10).high > 0.2
    assert wilson(10, 10)[1:] == (pytest.approx(1 - wilson(0, 10).high), 1.0)
    with pytest.raises(ValueError, match="no share"):
        wilson(0, 0)


def test_several_samples_of_an_item_are_no_more_items():
    once = clustered([[True], [False], [True], [True]])
    often = clustered([[True] * 50, [False] * 50, [True] * 50, [True] * 50])
    assert often == once
    assert wilson(150, 200).high - wilson(150, 200).low < once.high - once.low


def test_items_that_all_agree_leave_an_interval():
    found = clustered([[True, True]] * 5)
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(wilson(5, 5).low)


def test_mcnemar_is_the_binomial_test_of_the_items_that_differ():
    for b, c in itertools.product(range(8), range(8)):
        n = b + c
        as_far = [k for k in range(n + 1) if abs(k - n / 2) >= abs(b - n / 2)]
        assert mcnemar(b, c) == pytest.approx(sum(math.comb(n, k) for k in as_far) / 2**n, abs=1e-12)
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(2000, 1500) < 1e-10  # powers of two beyond float's range


def test_a_paired_difference_is_told_from_none_where_both_shares_alone_would_not():
    rng = np.random.default_rng(1)
    hard = rng.random(200) < 0.5
    first, second = hard.astype(float), np.where(rng.random(200) < 0.08, 1.0, hard)
    found = paired_difference(first, second)
    assert found.low > 0
    assert wilson(int(first.sum()), 200).high > wilson(int(second.sum()), 200).low


def test_the_paired_bootstrap_holds_the_truth():
    """200 runs of 100 items at a true difference of .1: 178 to 198 hold it (binomial .95: fewer or more 1 in 1,500 times)."""
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(200):
        u = rng.random((2, 100))
        first, second = (
            (u[0] < 0.4).astype(float),
            ((u[0] < 0.4) & (u[1] < 0.8) | (u[0] >= 0.4) & (u[1] < 0.3)).astype(float),
        )
        truth = 0.4 * 0.8 + 0.6 * 0.3 - 0.4
        found = paired_difference(first, second)
        held += found.low <= truth <= found.high
    assert 178 <= held <= 198


def test_items_that_never_differ_leave_an_interval_around_none():
    found = paired_difference([1.0, 0.0] * 5, [1.0, 0.0] * 5)
    assert (found.value, found.high) == (0.0, pytest.approx(wilson(0, 10).high))
    assert found.low == -found.high


def test_sign_flips_agree_with_mcnemar_on_single_answers():
    first, second = [1.0] * 3 + [0.0] * 9 + [1.0] * 5, [0.0] * 3 + [1.0] * 9 + [1.0] * 5
    # Twelve differ: all signs are counted.
    assert sign_flip(first, second) == pytest.approx(mcnemar(3, 9), abs=1e-12)
    assert sign_flip(first * 2, second * 2) == pytest.approx(mcnemar(6, 18), abs=0.02)
    assert sign_flip(first, first) == 1.0


def test_a_share_is_wilsons_with_one_sample_and_clustered_with_more():
    assert share_right([[True], [False], [True]]) == wilson(2, 3)
    assert share_right([[True], [False], [True, False]]) == clustered([[True], [False], [True, False]])


def test_pass_at_k_is_the_share_of_subsets_with_a_right_one():
    for n in range(1, 7):
        for right in range(n + 1):
            samples = [i < right for i in range(n)]
            for k in range(1, n + 1):
                subsets = list(itertools.combinations(samples, k))
                assert pass_at(k, n, right) == pytest.approx(sum(map(any, subsets)) / len(subsets), abs=1e-12)


def test_pass_at_more_than_there_are_samples_is_refused():
    with pytest.raises(ValueError, match="not defined"):
        pass_at(5, 4, 1)


def test_the_curve_rises_and_its_bands_hold_it():
    curve = pass_curve([[True, False, False, True], [False] * 4, [True] * 4, [False, False, True, False]])
    assert [k for k, _ in curve] == [1, 2, 4]
    values = [point.value for _, point in curve]
    assert values == sorted(values)
    assert values[0] == pytest.approx((0.5 + 0 + 1 + 0.25) / 4)
    assert all(point.low <= point.value <= point.high for _, point in curve)


def test_a_missing_sample_takes_nothing_from_the_others():
    whole = [[True, False]] * 5 + [[False, False]] * 5
    curve = dict(pass_curve([*whole, [True]]))
    assert curve[1].value == pytest.approx((5 * 0.5 + 1) / 11)
    assert curve[2].value == 0.5  # of the ten that have two


def test_items_that_were_never_solved_do_not_make_a_band_of_no_width():
    (_, first), *_ = pass_curve([[False, False]] * 6)
    assert first.value == 0.0
    assert first.high > 0.3


def test_as_many_items_as_needed_find_the_difference_four_times_in_five():
    """Power of McNemar's test at the items it asks for, by 400 runs: .72 to .90 (normal theory; 1 in 10,000 outside)."""
    gain, loss = 0.15, 0.05
    n = items_needed(gain - loss, gain + loss)
    rng = np.random.default_rng(3)
    found = 0
    for _ in range(400):
        u = rng.random(n)
        found += mcnemar(int((u < loss).sum()), int((u > 1 - gain).sum())) < 0.05
    assert 0.72 < found / 400 < 0.90


def test_no_difference_needs_no_number_of_items():
    assert items_needed(0.0, 0.2) is None
