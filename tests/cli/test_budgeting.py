"""From `--budget` to a schedule: seconds at the speed of the width that is used, tokens shared by chains."""

from __future__ import annotations

import pytest

from localpower import SMC
from localpower.api.budget import allowed, within
from localpower.api.request import SamplingOptions
from localpower.completion import PLAIN
from localpower.registry import parse
from localpower.samplers import BestOfNSampler


def speed(rows):
    """Tokens a second of a machine on which four rows cost what one does."""
    return 100.0 * min(rows, 4)


def planned(**given):
    options = SamplingOptions(parse(given.pop("method", "power"), **given), max_tokens=100)
    sampler = options.method.sampler(options.target(4.0, PLAIN))
    return within(sampler, options, allowed(options.method.budget, 1, speed, 0))


def test_seconds_are_tokens_at_the_speed_of_the_batch_less_the_time_to_read_the_prompt():
    assert allowed("10s", 1, speed, 0).budget(1).tokens == 900
    assert allowed("10s", 1, speed, 0).budget(4).tokens == 3600
    assert allowed("10s", 2, speed, 0).budget(2).tokens == 1800, "each of two chains"
    assert allowed("10s", 1, speed, 400).budget(1).tokens == 800, "a second goes to the prompt"
    assert allowed("10s", 1, speed, 10**6).budget(1).tokens == 1
    assert allowed("10s", 1, lambda _: None, 0).budget(1) is None


def test_chains_share_a_budget_of_tokens_and_of_plain_answers():
    assert allowed("300t", 3, speed, 0).budget(5).tokens == 100
    assert allowed("6x", 3, speed, 0).budget(5).times == 2.0


@pytest.mark.parametrize(("budget", "n"), [("2s", 7), ("0.5s", 1), ("1000t", 10), ("6.9x", 6), ("900x", 61)])
def test_as_many_answers_as_fit_at_their_own_speed(budget, n):
    sampler, notes = planned(method="best-of-n", budget=budget)
    assert isinstance(sampler, BestOfNSampler)
    assert sampler.n == n
    assert notes[-1] == f"--budget {budget}: n={n}"


def test_what_was_given_by_hand_is_only_lowered():
    assert planned(method="best-of-n:n=3", budget="10x")[0].n == 3
    assert planned(method="smc:particles=20", budget="10x")[0].particles == 10


def test_looks_ahead_are_given_up_before_candidates():
    sampler, _ = planned(method="lookahead", budget="8x")
    assert (sampler.candidates, sampler.rollouts) == (4, 1)
    sampler, _ = planned(method="lookahead", budget="1x")
    assert (sampler.candidates, sampler.rollouts) == (1, 0)


def test_an_unknown_speed_is_said():
    options = SamplingOptions(SMC(budget="3s"))
    sampler = options.method.sampler(options.target(4.0, PLAIN))
    same, notes = within(sampler, options, allowed("3s", 1, lambda _: None, 0))
    assert same is sampler
    assert "the speed here is not known" in notes[0]
