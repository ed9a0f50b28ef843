"""Parallel tempering: steps at every rung, swaps between them, and both together leave the product law as it is."""

from __future__ import annotations

import itertools
import math
from unittest.mock import patch

import numpy as np
import pytest

from localpower.chance import StreamDice
from localpower.completion import Completion, extend
from localpower.errors import UsageProblem
from localpower.events import Stepped, Swapped
from localpower.samplers import TemperingSampler, tempering
from localpower.samplers.tempering import at_rung, ladder
from localpower.testing import law, outcomes
from localpower.toy import ToyModel, power_law

PROMPT = (1, 2)
RUNGS = (3.0, 1.5)


def states(model, horizon, rungs, rung):
    """Every answer, as drawn at a rung."""
    drawn = outcomes(
        lambda dice: extend(
            dice, model, PROMPT, Completion(), horizon, temperature=1 / rungs[rung], exponents=rungs
        )
    )
    return {x.tokens: x for x, _ in drawn}


def product(model, horizon, rungs):
    """The joint target: tuples of answers and their probabilities."""
    laws = [power_law(model, PROMPT, horizon, alpha) for alpha in rungs]
    return {
        joint: math.prod(one[x] for one, x in zip(laws, joint, strict=True))
        for joint in itertools.product(*laws)
    }


def invariance_error(model, horizon, rungs, move):
    """Total variation between the product law and what a move makes of it. move(dice, states) -> answers."""
    known = [states(model, horizon, rungs, k) for k in range(len(rungs))]
    target, after = product(model, horizon, rungs), {}
    for joint, weight in target.items():
        here = [known[k][tokens] for k, tokens in enumerate(joint)]
        for reached, probability in law(lambda dice, here=here: move(dice, list(here))).items():
            after[reached] = after.get(reached, 0.0) + weight * probability
    return 0.5 * sum(
        abs(after.get(joint, 0.0) - target.get(joint, 0.0)) for joint in set(after) | set(target)
    )


@pytest.mark.parametrize("rungs", [RUNGS, (4.0, 2.0, 1.0)])
def test_a_sweep_of_swaps_leaves_the_product_law_invariant(rungs):
    model = ToyModel(("<end>", "a", "b"), seed=1, spread=1.0)
    sampler = TemperingSampler(rungs[0], 2, 2, 1, rungs)

    def move(dice, here):
        list(sampler.sweep(dice, here, 0, 0))
        return tuple(x.tokens for x in here)

    assert invariance_error(model, 2, rungs, move) < 1e-12


@pytest.mark.parametrize("cuts", ["uniform", "restart", "entropy"])
def test_a_whole_round_leaves_the_product_law_invariant(cuts):
    model = ToyModel(("<end>", "a"), seed=3, spread=1.0)
    sampler = TemperingSampler(RUNGS[0], 3, 3, 1, RUNGS, tempering_cuts(cuts))

    def move(dice, here):
        after = [x for (x, _), _ in sampler.round(model, PROMPT, [dice] * 2, here, 3)]
        list(sampler.sweep(dice, after, 0, 0))
        return tuple(x.tokens for x in after)

    assert invariance_error(model, 3, RUNGS, move) < 1e-12


def tempering_cuts(name):
    from localpower.samplers.cuts import cut_law

    return cut_law(name)


def test_after_a_swap_an_answer_is_what_it_would_be_had_its_new_rung_drawn_it():
    model = ToyModel(("<end>", "a", "b"), seed=1)
    elsewhere = states(model, 3, RUNGS, 1)
    for tokens, x in states(model, 3, RUNGS, 0).items():
        assert np.abs(at_rung(elsewhere[tokens], RUNGS[0], 0).log_q - x.log_q).max() < 1e-12


def test_control_a_swap_by_the_wrong_sign_is_caught():
    model = ToyModel(("<end>", "a", "b"), seed=1, spread=1.0)
    sampler, plain = TemperingSampler(RUNGS[0], 2, 2, 1, RUNGS), tempering.swap_ratio

    def move(dice, here):
        with patch.object(tempering, "swap_ratio", lambda *a: -plain(*a)):
            list(sampler.sweep(dice, here, 0, 0))
        return tuple(x.tokens for x in here)

    assert invariance_error(model, 2, RUNGS, move) > 1e-2


def test_control_the_old_rungs_q_after_a_swap_is_caught():
    model = ToyModel(("<end>", "a"), seed=3, spread=1.0)
    sampler = TemperingSampler(RUNGS[0], 3, 3, 1, RUNGS, tempering_cuts("uniform"))

    def move(dice, here):
        list(sampler.sweep(dice, here, 0, 0))
        with patch.object(tempering, "at_rung", lambda x, alpha, rung: x):
            after = [x for (x, _), _ in sampler.round(model, PROMPT, [dice] * 2, here, 3)]
        return tuple(x.tokens for x in after)

    assert invariance_error(model, 3, RUNGS, move) > 1e-4


@pytest.mark.parametrize("alpha", [1.0, 1.5, 4.0])
@pytest.mark.parametrize("rungs", [1, 2, 4])
def test_the_usual_ladder_falls_from_alpha_and_never_below_one(alpha, rungs):
    steps = ladder(alpha, rungs)
    assert steps[0] == alpha
    assert min(steps) >= 1.0
    assert len(steps) == (rungs if alpha > 1.0 else 1)
    TemperingSampler(alpha, rungs=steps)


@pytest.mark.parametrize("rungs", [(3.0, 3.0), (2.0, 1.0), (3.0, 0.5), (1.0, 3.0)])
def test_ladders_that_can_never_be_right_are_refused(rungs):
    with pytest.raises(UsageProblem, match="rungs"):
        TemperingSampler(3.0, rungs=rungs)


def test_all_rungs_share_a_batch_and_finished_answers_stay_in_play():
    asked = []

    class Counting(ToyModel):
        def logits(self, contexts, prompt_lengths=None):
            asked.append(len(contexts))
            return super().logits(contexts)

    model = Counting(seed=4, end_bias=20.0)  # every answer ends at once
    events = list(TemperingSampler(3.0, 12, 4, 3).run(model, PROMPT, StreamDice(0)))
    assert max(asked) == 4
    steps = [e for e in events if isinstance(e, Stepped)]
    assert {e.member for e in steps} == {0, 1, 2, 3}
    assert {e.horizon for e in steps} == {4, 12}
    assert len([e for e in events if isinstance(e, Swapped)]) == 3 * 6
