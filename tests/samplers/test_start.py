"""What a chain begins with: the record is as if the proposal law had drawn it, and its weight stays a proper one."""

from __future__ import annotations

import math
from unittest.mock import patch

import numpy as np
import pytest

from localpower.chance import StreamDice
from localpower.completion import Rules, Writer
from localpower.errors import UsageProblem
from localpower.events import Chosen, Extended, Finished, Stepped
from localpower.samplers import Budget, PowerMH, population, smc
from localpower.samplers.budget import Room
from localpower.samplers.start import DRAW, Start
from localpower.selftest.law import recorded
from localpower.testing import outcomes
from localpower.toy import ToyModel, answers
from tests.samplers.small import ABC, PROMPT, end_of, folded, relative_error

ALPHA = 3.0
MODEL = ToyModel(ABC, seed=1, spread=1.0)
LONG = ToyModel(seed=5, spread=2.0, end_bias=-1.0)


def chain(start, steps=1, max_tokens=2, block=2, **settings):
    return PowerMH(ALPHA, 1 / ALPHA, max_tokens, block, steps, start=Start.of(start), **settings)


def weighted_law(sampler):
    """E[Z-hat; the chain's last state is x] for each x, over all paths."""
    found: dict = {}
    for (tally, choice), probability in outcomes(lambda dice: end_of(sampler, MODEL, PROMPT, dice)):
        x = tally.state.tokens
        found[x] = found.get(x, 0.0) + probability * math.exp(choice.log_z)
    return found


def error(found):
    """Of p^alpha, not normalised."""
    return relative_error(found, {x: math.exp(ALPHA * log_p) for x, log_p in answers(MODEL, PROMPT, 2)})


@pytest.mark.parametrize("start", ["smc:2", "best-of-n:2"])
def test_the_estimate_of_the_normaliser_weighs_the_state_after_steps_as_before(start):
    assert error(weighted_law(chain(start, steps=0))) < 1e-12
    assert error(weighted_law(chain(start, steps=1))) < 1e-12


def test_control_a_start_that_is_recorded_by_the_law_that_drew_it_is_caught():
    plain = Writer.draw

    def drawn(self, *args, recorded=None, **kwargs):
        return plain(self, *args, **kwargs)

    forgetful = type("Forgetful", (Writer,), {"draw": drawn})
    with patch.object(smc, "Writer", forgetful), patch.object(population, "Writer", forgetful):
        assert error(weighted_law(chain("smc:2"))) > 1e-4


@pytest.mark.parametrize("start", ["smc:4", "best-of-n:3"])
def test_every_token_of_the_start_is_recorded_as_if_the_proposal_law_had_drawn_it(start):
    for seed in range(8):
        tally, _ = end_of(chain(start, 0, 12, 12), LONG, PROMPT, StreamDice(seed))
        for answer in tally.members:
            again = recorded(LONG, PROMPT, answer.tokens, 12, ALPHA)
            assert np.abs(again.log_q - answer.log_q).max() < 1e-12


def test_steps_go_on_with_the_answer_that_was_chosen():
    for seed in range(10):
        events = list(chain("smc:3", 2, 12, 12).run(LONG, PROMPT, StreamDice(seed)))
        first = next(i for i, event in enumerate(events) if isinstance(event, Chosen))
        later = [event for event in events[first:] if isinstance(event, Extended | Stepped)]
        assert {event.member for event in later} == {events[first].member}
        tally = folded(events)
        assert isinstance(events[-1], Finished)
        assert events[-1].n_tokens == len(tally.state)
        assert tally.state.complete_at(12)


def test_a_start_obeys_given_tokens():
    rules = Rules(given=lambda x: 3 if len(x) == 2 else None)
    tally, _ = end_of(chain("smc:3", 2, 12, 12, rules=rules), LONG, PROMPT, StreamDice(1))
    assert tally.state.tokens[2] == 3


def test_a_budget_leaves_room_for_a_step_and_makes_the_start_smaller():
    def begun(times):
        sampler = chain("smc:4", None, 12, 12, budget=Budget(times=times))
        return end_of(sampler, LONG, PROMPT, StreamDice(3))

    assert begun(2.5)[1] is None, "one answer and a step: nothing is chosen"
    assert len(begun(4.0)[1].log_w) == 3
    assert len(begun(9.0)[1].log_w) == 4
    for times in (3.0, 4.0, 6.0):
        for seed in range(12):
            sampler = chain("smc:4", None, 12, 12, budget=Budget(times=times))
            tally, choice = end_of(sampler, LONG, PROMPT, StreamDice(seed))
            assert choice is not None
            assert tally.finish != "budget", "a start that was planned for is not cut off"
            assert tally.n_decoded <= times * 12


def test_seconds_make_a_start_smaller_by_the_speed_that_is_known():
    room = Room(lambda width: 12 * 3, 61)
    fit, words = chain("smc:8", None, 12, 12, budget=Budget(tokens=1)).fit(room)
    assert (fit.start, words) == (Start("smc", 2), "start=smc:2")
    assert chain("smc:2", None, 12, 12, budget=Budget(tokens=1)).fit(room)[1] == ""


def test_a_start_draws_whole_answers_and_is_checked_before_a_run():
    with pytest.raises(UsageProblem, match="whole answers"):
        chain("smc:2", 1, 12, 5)
    with pytest.raises(UsageProblem, match=r"at least 0\.001"):
        PowerMH(2000.0, 1 / 2000, 12, 12, 1, start=Start("best-of-n", 2))


def test_a_chain_that_begins_with_a_draw_is_the_same_as_without_a_start():
    alone = list(PowerMH(ALPHA, 1 / ALPHA, 12, 5, 3).run(LONG, PROMPT, StreamDice(4)))
    assert list(chain("draw", 3, 12, 5).run(LONG, PROMPT, StreamDice(4))) == alone
    assert Start.of("smc:1").at_most(1) == DRAW


@pytest.mark.parametrize("text", ["", "smc", "smc:0", "smc:x", "low-temp:2", "draw:2", "smc:-1", "smc:²"])
def test_starts_that_can_never_be_right_are_refused(text):
    with pytest.raises(ValueError):
        Start.of(text)
