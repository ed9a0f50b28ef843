"""The law of traces, proved on all random paths: the power is on what the model drew, observations are given."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest

from localpower.completion import Completion, extend
from localpower.samplers import BestOfNSampler, PowerSMC
from localpower.samplers.acceptance import StepVariant
from localpower.samplers.cuts import CUTS, CutLaw, UniformCuts, cut_law
from localpower.samplers.kernel import ChainState, Kernel, Optimizations
from localpower.testing import outcomes
from localpower.toy import ToyModel
from tests.samplers.small import check_balance, invariance_error, relative_error, weighted_law
from tests.tools import traces
from tests.tools.mutants import FRESH_MUTANTS, MUTANTS
from tests.tools.traces import ALPHA, MODELS, PROMPT

HORIZON = 3
PLAIN_STEP, ON, OFF = StepVariant(), Optimizations(), Optimizations(skip=False, early=False)


def transitions(
    model,
    kernel=Kernel,
    cuts: CutLaw | str = "uniform",
    horizon=HORIZON,
    variant=PLAIN_STEP,
    on=ON,
    **options,
):
    rules = traces.rules(model, **options)
    known = traces.states(model, horizon, 1 / ALPHA, rules)
    law = traces.target(model, horizon, **options)
    assert set(known) == set(law)
    law_of_cuts = cuts if isinstance(cuts, CutLaw) else cut_law(cuts)
    chain = kernel(ALPHA, 1 / ALPHA, law_of_cuts, rules, variant, on)

    def step(dice, x):
        return chain.step(dice, ChainState(x, horizon), model, PROMPT)[0].completion

    return traces.matrix(step, known), np.array([law[x] for x in known])


class LateCuts(UniformCuts):
    """A law whose gains depend on the rank: it sees whether ranks go on right after an observation."""

    def gain(self, rank, entropy, before):
        return float(rank)

    def least(self, rank):
        return float(rank)


ONE, TWO, CALL = MODELS.values()
HOT, METROPOLISED = StepVariant(hot_cut=True), StepVariant(metropolised=True)
SEEDED, FRESH = {}, {"chances": 2}
CASES = [
    *((ONE, options, "uniform", PLAIN_STEP) for options in (SEEDED, {"seed": 1}, {"turns": 2})),
    *((ONE, SEEDED, cuts, how) for cuts in CUTS if cuts != "uniform" for how in (PLAIN_STEP, HOT)),
    *((CALL, FRESH, cuts, how) for cuts in CUTS for how in (PLAIN_STEP, HOT)),
    (CALL, FRESH, LateCuts(), PLAIN_STEP),
    (TWO, SEEDED, "restart", HOT),
    (CALL, SEEDED, "restart", METROPOLISED),
]


@pytest.mark.parametrize(("model", "options", "cuts", "variant"), CASES)
def test_a_step_leaves_the_law_of_traces_invariant_and_is_reversible(model, options, cuts, variant):
    check_balance(*transitions(model, cuts=cuts, variant=variant, **options))


@pytest.mark.parametrize(("model", "options"), [(ONE, SEEDED), (CALL, FRESH)], ids=["seeded", "fresh"])
def test_skip_and_early_rejection_change_no_transition_between_traces(model, options):
    assert np.abs(transitions(model, **options)[0] - transitions(model, on=OFF, **options)[0]).max() < 1e-12


@pytest.mark.parametrize("options", [SEEDED, FRESH], ids=["seeded", "fresh"])
@pytest.mark.parametrize(
    "sampler",
    [
        partial(BestOfNSampler, ALPHA, 0.7, max_tokens=2, n=2),
        partial(PowerSMC, ALPHA, max_tokens=2, particles=2, ramp=2, ess=0.9),
    ],
    ids=["best-of-n", "smc"],
)
def test_weights_of_many_traces_estimate_the_law_without_bias(sampler, options):
    model = ToyModel(traces.CALLS, seed=4)
    rules = traces.rules(model, **options)
    wanted = {
        x: math.exp(ALPHA * log_p + log_e) for x, (log_p, log_e) in traces.traces(model, 2, **options).items()
    }
    found = weighted_law(sampler(rules=rules), model, PROMPT, traces.key)
    assert set(found) == set(wanted)
    assert relative_error(found, wanted) < 1e-12


@pytest.mark.parametrize(("kernel", "model", "turns"), MUTANTS.values(), ids=MUTANTS.keys())
def test_control_a_wrong_law_of_traces_is_caught_by_the_same_enumeration(kernel, model, turns):
    assert invariance_error(*transitions(MODELS[model], kernel, turns=turns)) > 1e-4


@pytest.mark.parametrize("kernel", FRESH_MUTANTS.values(), ids=FRESH_MUTANTS.keys())
def test_control_a_skip_over_what_is_drawn_anew_is_another_step(kernel):
    """It leaves the law as it is, but never draws an observation anew by itself."""
    right, wrong = (transitions(CALL, each, chances=2)[0] for each in (Kernel, kernel))
    assert np.abs(right - wrong).max() > 1e-4


def test_control_metropolised_steps_in_a_fresh_environment_are_wrong():
    """Which is why they are refused: a proposal may be the state again, by what is drawn anew."""
    assert invariance_error(*transitions(CALL, variant=METROPOLISED, chances=2)) > 1e-4


def test_control_laws_where_observations_matter_differ():
    """What the environment answers moves the law: a seed more is another law, so that no test above is empty."""
    assert traces.target(ONE, HORIZON).keys() != traces.target(ONE, HORIZON, seed=1).keys()
    assert any(len(chances) == 2 for _, chances in traces.target(ONE, HORIZON))


def test_a_horizon_counts_drawn_tokens_alone():
    for x in traces.states(ONE, HORIZON, 1 / ALPHA, traces.rules(ONE)).values():
        assert x.n_drawn == x.n_counted == len(x) - int(x.observed.sum())
        assert x.ended or x.n_drawn == HORIZON
        assert (x.log_p[x.given] == 0.0).all()
        assert UniformCuts().weights(x).sum() == x.n_drawn


@pytest.mark.parametrize("options", [{"turns": 4}, {"turns": 4, "chances": 2}], ids=["seeded", "fresh"])
def test_a_state_that_grows_from_stage_to_stage_has_the_law_of_one_drawn_at_once(options):
    """A call that ends a stage is answered when the horizon grows, and by the same tokens and chances."""
    rules = traces.rules(CALL, **options)
    draw = partial(extend, model=CALL, prompt=PROMPT, temperature=0.7, rules=rules)

    def law(*horizons):
        def grown(dice):
            state = Completion()
            for horizon in horizons:
                state = draw(dice, start=state, horizon=horizon)
            return state

        found: dict = {}
        for x, probability in outcomes(grown):
            assert not x.given[-1], "an observation ends no state"
            found[traces.key(x)] = found.get(traces.key(x), 0.0) + probability
        return found

    once, staged = law(HORIZON), law(1, 2, HORIZON)
    assert once.keys() == staged.keys()
    assert max(abs(once[x] - staged[x]) for x in once) < 1e-12
    assert any(len(chances) == 2 for _, chances in once)
