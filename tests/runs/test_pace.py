"""Seconds of a run, by its own batches: plans in seconds, and the time of a plain answer."""

from __future__ import annotations

import itertools

import pytest

from localpower.chance import StreamDice
from localpower.events import Planned, Stepped
from localpower.runs.heard import Forwarded
from localpower.runs.pace import Pace
from localpower.runs.session import run_chains
from localpower.samplers import Budget, PowerMH
from localpower.toy import ToyModel

PROMPT = (1, 2, 3)


class Clock:
    """Each batch takes the same time; nothing else takes any."""

    def __init__(self, seconds):
        self.now, self.seconds = 0.0, seconds

    def __call__(self):
        return self.now


class Timed(ToyModel):
    def __init__(self, clock, **settings):
        super().__init__(**settings)
        self.clock = clock

    def logits(self, contexts, prompt_lengths=None):
        self.clock.now += self.clock.seconds
        return super().logits(contexts)


def run(seconds, *, steps=None, chains=1, each=0.01):
    clock = Clock(each)
    pace, events = Pace(clock), []
    budget = Budget(left=lambda: pace.tokens_left(chains))
    sampler = PowerMH(2.0, 0.5, max_tokens=20, block=20, steps=steps, budget=budget)
    pace.start(seconds)
    model, heard = Timed(clock, seed=3, end_bias=-6.0), Forwarded(lambda _, event: events.append(event))
    tallies = run_chains(model, sampler, PROMPT, StreamDice(1), chains, pace=pace, listeners=[heard])
    return clock.now, tallies, events


@pytest.mark.parametrize("seconds", [1.0, 5.0, 20.0])
def test_seconds_are_used_by_steps_while_they_fit_and_kept(seconds):
    took, (tally,), events = run(seconds)
    assert seconds - 0.2 - 0.06 * seconds <= took <= seconds + 0.01, (
        "a step more would have set 20 tokens aside"
    )
    assert tally.finish == "length", "no step was cut off"
    plans = [event.steps for event in events if isinstance(event, Planned)]
    assert plans == sorted(plans)
    assert plans[-1] == sum(isinstance(event, Stepped) for event in events)


def test_steps_that_cost_nothing_end_too():
    sure = ToyModel(seed=3, spread=200.0, end_bias=-1e5)  # nearly every proposal is the state
    sampler = PowerMH(4.0, 0.25, max_tokens=20, block=20, steps=None, budget=Budget(tokens=400))
    (tally,) = run_chains(sure, sampler, PROMPT, StreamDice(1), 1)
    assert 100 < tally.n_free <= tally.n_steps <= 9 * (400 // 20)
    assert tally.finish == "length"


def test_steps_that_were_given_by_hand_are_not_added_to():
    _, (tally,), _ = run(20.0, steps=3)
    assert tally.n_steps == 3


def test_a_speed_that_was_never_measured_ends_no_answer_early():
    took, (tally,), _ = run(0.25)
    assert tally.finish == "length"
    assert tally.planned == 0
    assert took <= 0.25


def test_chains_share_the_seconds():
    took, tallies, _ = run(2.0, chains=4)
    assert took <= 2.0 + 0.01, "a batch that has begun is evaluated"
    assert all(tally.finish == "length" and tally.n_steps > 3 for tally in tallies)


def test_a_plain_answer_takes_the_time_of_its_prompt_and_of_a_row_a_token():
    times = itertools.accumulate([0.0, 0.0, 5.0, *[0.5] * 20])  # the first batch reads the prompt
    pace = Pace(lambda: next(times))
    pace.start(None)
    for _ in range(5):
        pace.batch(1)
    assert pace.plain_seconds(10, float) == pytest.approx(5.0 + 10 * 0.5)
    assert Pace().plain_seconds(10, float) is None


def test_where_no_batch_was_a_lone_row_its_time_is_told_from_theirs():
    times = itertools.accumulate([0.0, 0.0, 5.0, *[0.8] * 20])
    pace = Pace(lambda: next(times))
    pace.start(None)
    for _ in range(5):
        pace.batch(8)
    assert pace.plain_seconds(10, lambda rows: rows / 2) == pytest.approx(5.0 + 10 * 0.2)


def test_an_answer_that_ends_at_once_is_no_reason_to_plan_for_ever():
    clock = Clock(0.01)
    pace = Pace(clock)
    sampler = PowerMH(
        2.0, 0.5, max_tokens=20, block=20, steps=None, budget=Budget(left=lambda: pace.tokens_left(1))
    )
    pace.start(2.0)
    (tally,) = run_chains(Timed(clock, seed=3, end_bias=60.0), sampler, PROMPT, StreamDice(1), 1, pace=pace)
    assert tally.finish == "stop"
    assert tally.planned <= 2000
