"""Win rates on judges whose law is known: what length control takes away, and what it must not touch."""

from __future__ import annotations

import numpy as np
import pytest

from localpower.evals.judge import TIE, Judgement
from localpower.evals.winrate import at_equal_length, win_rate


def fair(p):
    """A judgement that does not depend on the order."""
    return Judgement(p, p)


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-np.asarray(z)))


def swapped(judgement):
    return Judgement(1.0 - judgement.second, 1.0 - judgement.first)


def known_judge(n, constant, slope, mean=0.0, seed=0):
    """Judgements that follow the fitted law exactly, and lengths."""
    differences = np.random.default_rng(seed).normal(mean, 100.0, n).round()
    x = np.tanh(differences / differences.std(ddof=1))
    lengths = [(1000 + int(d), 1000) for d in differences]
    return [fair(float(p)) for p in sigmoid(constant + slope * x)], lengths


def test_a_judge_that_always_says_a_tells_nothing():
    found = win_rate([Judgement(1.0, 0.0)] * 7, [(10, 20)] * 7)
    assert found.raw is None
    assert found.length_controlled is None
    assert (found.n, found.n_dropped, found.n_ties) == (0, 7, 0)
    assert found.position_bias == 0.5


def test_equal_answers_are_ties():
    found = win_rate([TIE] * 20, [(30, 30)] * 20)
    assert (found.n, found.n_dropped, found.n_ties) == (20, 0, 20)
    assert found.raw.value == found.length_controlled.value == 0.5
    assert found.raw.low < 0.35  # 20 ties are no certainty
    assert found.position_bias == 0.0


def test_only_what_the_orders_agree_on_counts():
    found = win_rate([fair(0.9), Judgement(0.8, 0.2), Judgement(0.75, 0.25)], [(1, 2), (3, 4), (5, 6)])
    assert (found.n, found.n_dropped, found.n_ties) == (2, 1, 1)  # a difference of .5 is not more than .5
    assert found.raw.value == pytest.approx(0.7)
    assert found.position_bias == pytest.approx((0.0 + 0.6 + 0.5) / 6)
    assert (found.length_ours, found.length_theirs) == (3.0, 4.0)


def test_nothing_to_control_where_lengths_do_not_differ():
    judgements = [fair(p) for p in (0.9, 0.6, 0.7, 0.2, 0.8, 0.95) * 10]
    for lengths in ((50, 50), (80, 50)):
        found = win_rate(judgements, [lengths] * 60)
        assert found.length_controlled.value == pytest.approx(found.raw.value, abs=1e-3)
        assert found.length_controlled.low == pytest.approx(found.raw.low, abs=1e-3)


@pytest.mark.parametrize("constant", [-1.0, 0.0, 0.7])
@pytest.mark.parametrize("mean", [-50.0, 0.0, 120.0])
def test_the_constant_of_a_known_judge_is_found(constant, mean):
    judgements, lengths = known_judge(300, constant, 1.5, mean)
    found = win_rate(judgements, lengths)
    assert found.length_controlled.value == pytest.approx(sigmoid(constant), abs=2e-3)
    assert found.length_controlled.low < sigmoid(constant) < found.length_controlled.high


@pytest.mark.parametrize("seed", range(5))
def test_a_judge_that_sees_nothing_but_length(seed):
    judgements, lengths = known_judge(252, 0.0, 4.0, mean=100.0, seed=seed)
    found = win_rate(judgements, lengths)
    assert found.raw.value > 0.7
    assert found.length_controlled.value == pytest.approx(0.5, abs=0.01)
    hard = win_rate([fair(float(ours > theirs)) for ours, theirs in lengths], lengths)
    controlled, raw = hard.length_controlled.value, hard.raw.value
    assert abs(controlled - 0.5) < abs(raw - 0.5)  # separable: any step between fits


def test_separable_data_do_not_diverge():
    for p in (0.0, 1.0):
        found = win_rate([fair(p)] * 50, [(i, 25) for i in range(50)])
        assert found.raw.value == p
        assert abs(found.length_controlled.value - p) < 0.01
        assert found.raw.high - found.raw.low > 0.05  # 50 wins out of 50 are no certainty
    one = win_rate([fair(1.0)], [(3, 2)])
    assert 0.9 < one.length_controlled.value < 1.0
    assert one.raw.low < 0.3
    assert win_rate([TIE], [(1, 1)]).raw == (0.5, 0.0, 1.0)


def test_ours_and_theirs_exchanged_give_the_rest():
    rng = np.random.default_rng(3)
    judgements = [Judgement(*pair) for pair in np.clip(rng.normal(0.6, 0.2, (60, 2)), 0, 1)]
    lengths = [(int(a), int(b)) for a, b in rng.integers(10, 500, (60, 2))]
    one = win_rate(judgements, lengths)
    other = win_rate([swapped(each) for each in judgements], [(b, a) for a, b in lengths])
    assert (other.n, other.n_dropped, other.n_ties) == (one.n, one.n_dropped, one.n_ties)
    assert other.position_bias == pytest.approx(one.position_bias)
    assert (other.length_ours, other.length_theirs) == (one.length_theirs, one.length_ours)
    for mine, yours in ((one.raw, other.raw), (one.length_controlled, other.length_controlled)):
        assert yours == pytest.approx((1 - mine.value, 1 - mine.high, 1 - mine.low), abs=1e-9)


def test_newton_ends_at_the_maximum_from_any_data():
    """Penalised likelihood on a fine grid around the constant, its best slope found by search, against the fit."""
    rng = np.random.default_rng(5)
    for p in (rng.uniform(size=12), (rng.uniform(size=12) < 0.9).astype(float), np.ones(12)):
        differences = rng.normal(30.0, 40.0, 12)
        x = np.tanh(differences / differences.std(ddof=1))
        constants, slopes = np.meshgrid(np.linspace(-12, 12, 481), np.linspace(-12, 12, 481), indexing="ij")
        z = constants[..., None] + slopes[..., None] * x
        fit = (p * z - np.logaddexp(0.0, z)).sum(axis=-1) - 0.005 * (constants**2 + slopes**2)
        best = constants.flat[np.argmax(fit)]
        found = at_equal_length(p[None], differences[None])[0]
        assert found == pytest.approx(sigmoid(best), abs=0.02)


def test_a_sample_is_fitted_as_if_it_were_alone():
    rng = np.random.default_rng(6)
    p, differences = rng.uniform(size=(5, 30)), rng.normal(size=(5, 30))
    together = at_equal_length(p, differences)
    alone = [at_equal_length(p[i : i + 1], differences[i : i + 1])[0] for i in range(5)]
    assert together == pytest.approx(alone, abs=1e-9)


def test_the_interval_holds_the_truth_most_times():
    """Judges of mean 0.6: the raw interval is to hold it 19 times in 20; a dip is known of 40 items."""
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(40):
        found = win_rate([fair(p) for p in rng.beta(3, 2, 40)], [(1, 1)] * 40)
        held += found.raw.low < 0.6 < found.raw.high
    assert held >= 34


def test_the_same_judgements_always_have_the_same_interval():
    judgements, lengths = known_judge(252, 0.3, 2.0)
    assert win_rate(judgements, lengths) == win_rate(judgements, lengths)


def test_what_does_not_belong_together_is_refused():
    with pytest.raises(ValueError, match="0 judgements"):
        win_rate([], [])
    with pytest.raises(ValueError, match="2 pairs"):
        win_rate([TIE], [(1, 1), (2, 2)])
