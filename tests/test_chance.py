"""Dice, numerics and statistics: identities."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from localpower.chance import StreamDice
from localpower.errors import EngineError
from localpower.numerics import block_sums, log_softmax, weigh, weigh_all
from localpower.statistics import g_test


def test_a_stream_depends_on_its_keys_alone():
    dice = StreamDice(3)
    dice.pick(np.ones(5))
    again = StreamDice(3).spawn(1).spawn(2)
    assert dice.spawn(1).spawn(2).threshold().log_u == again.threshold().log_u
    assert dice.spawn(2).threshold().log_u != again.threshold().log_u


@given(st.integers(0, 2**63), st.lists(st.sampled_from([0.0, 1e-300, 0.5, 3.0]), min_size=1, max_size=9))
def test_a_zero_weight_is_never_picked(seed, weights):
    if sum(weights) > 0:
        assert weights[StreamDice(seed).pick(np.array(weights))] > 0


def test_picks_follow_the_weights():
    dice, weights = StreamDice(7), np.array([1.0, 0.0, 2.0, 5.0])
    counts = np.bincount([dice.pick(weights) for _ in range(4000)], minlength=4)
    assert g_test(counts, weights / 8).log_p > math.log(1e-6)
    assert g_test(counts, np.array([2.0, 0.0, 2.0, 4.0]) / 8).log_p < math.log(1e-6)


@pytest.mark.parametrize("n", [255, 256, 257, 1000])
def test_a_pick_among_many_weights_is_the_index_where_their_running_sum_passes_the_point(n):
    weights = np.random.default_rng(n).random(n) ** 8
    weights[::3] = 0.0
    for seed in range(200):
        point = math.exp(StreamDice(seed).threshold().log_u) * weights.sum()
        assert StreamDice(seed).pick(weights) == np.searchsorted(np.cumsum(weights), point, side="right")


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 7.5, 2.3, 9.0])
def test_powers_by_multiplication_are_the_powers(exponent):
    row = np.random.default_rng(0).normal(0, 3, 200)
    weights = weigh(row, 1 / exponent).weights
    assert np.allclose(weights, np.exp((row - row.max()) * exponent), rtol=1e-13, atol=0)


@pytest.mark.parametrize("temperature", [0.25, 0.4, 0.5, 1.0])
def test_weights_are_the_tempered_softmax(temperature):
    row = np.array([0.3, -1.0, 2.0, -math.inf])
    p = np.exp(row) / np.exp(row).sum()
    q = p ** (1 / temperature) / (p ** (1 / temperature)).sum()
    weighed = weigh(row, temperature)
    for token in range(3):
        assert weighed.log_p(token) == pytest.approx(math.log(p[token]), abs=1e-14)
        assert weighed.log_q(token) == pytest.approx(math.log(q[token]), abs=1e-14)
    assert weighed.entropy == pytest.approx(-(p[:3] * np.log(p[:3])).sum(), abs=1e-14)


def test_nan_logits_are_refused():
    with pytest.raises(EngineError, match="nan"):
        weigh(np.array([0.0, math.nan]), 1.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_weighed_together_have_the_bits_they_have_alone_and_stay_as_they_are(dtype):
    rng = np.random.default_rng(2)
    rows = [rng.normal(0, 4, 20000).astype(dtype) for _ in range(9)]
    temperatures = [0.25, 0.4, 1.0, None, 0.7, 0.0, 0.25, 1e-31, 0.4]
    together = weigh_all(rows, temperatures)
    before = [
        None if t is None else one.weights.copy() for one, t in zip(together, temperatures, strict=True)
    ]
    for row, temperature, found, weights in zip(rows, temperatures, together, before, strict=True):
        if temperature is None:
            assert found is row
            continue
        alone = weigh(row, temperature)
        assert np.array_equal(alone.weights, weights)
        assert np.array_equal(found.weights, weights), "no later row was written over it"
        assert (alone.log_total, alone.log_norm, alone.entropy) == (
            found.log_total,
            found.log_norm,
            found.entropy,
        )
        assert np.array_equal(alone.sums, block_sums(weights))


@pytest.mark.parametrize("exponent", [2.5, 4.0])
def test_powers_too_small_for_a_float_are_tiny_and_impossible_tokens_stay_so(exponent):
    row = np.array([0.0, -60.0, -1.0, -np.inf], np.float32)
    weights = weigh(row, 1 / exponent).weights
    assert weights[3] == 0.0
    assert 0.0 < weights[1] < 1e-37, "a normal number, and never drawn"
    assert StreamDice(1).pick(weights) in (0, 2)


def test_log_q_of_a_token_whose_weight_rounds_to_nothing_is_that_of_the_formula():
    row = np.array([0.0, -30.0, -1.0], np.float32)
    cold = weigh(row, 1 / 7.3)
    exact = 7.3 * log_softmax(row) - np.log(np.exp(7.3 * log_softmax(row)).sum())
    assert cold.weights[1] == 0.0
    assert [cold.log_q(i) for i in range(3)] == pytest.approx(list(exact), rel=1e-5)
    assert cold.at(1.0).log_q(1) == pytest.approx(float(log_softmax(row)[1]), rel=1e-6)
