"""The kernel is proved here: all paths of its random choices on toy models, to 1e-12."""

from __future__ import annotations

import numpy as np
import pytest

from localpower.completion import PLAIN, Completion, Rules, extend
from localpower.samplers.cuts import UniformCuts
from localpower.samplers.mh import ChainState, PowerMH, step
from localpower.toy import ToyModel, power_law
from tests.exact import law, outcomes
from tests.mutants import MUTANTS

PROMPT = (1, 2)
ALPHA = 3.0
ABC = ("<end>", "a", "b")
TOYS = {
    "generic": ToyModel(ABC, seed=1),
    "near-certain end": ToyModel(ABC, seed=2, end_bias=4.0),
    "zero probabilities": ToyModel(("<end>", "a", "b", "c"), seed=3, zero_every=2),
}
# A stop that takes two tokens, and a forced token after a drawn 1: both end up in every formula.
RULES = {
    "plain": PLAIN,
    "stop on 1,2": Rules(ended=lambda run: run[-2:] == (1, 2)),
    "2 given after a first 1": Rules(given=lambda x: 2 if x == (1,) else None),
    "one token given first": Rules(given=lambda x: 1 if x == () else None),
}


def states(model, horizon, temperature, rules=PLAIN):
    """Every completion with its recorded numbers, by drawing all of them."""
    drawn = outcomes(
        lambda dice: extend(dice, model, PROMPT, Completion(), horizon, temperature=temperature, rules=rules)
    )
    return {x.tokens: x for x, _ in drawn}


def matrix(model, horizon, temperature, rules=PLAIN, kernel=step):
    """The exact transition matrix K, and the target pi, over all states in one order."""
    known = states(model, horizon, temperature, rules)
    target = power_law(model, PROMPT, horizon, ALPHA, rules)
    assert set(known) == set(target)
    order = {tokens: i for i, tokens in enumerate(target)}
    transitions = np.zeros((len(order), len(order) + 1))  # last column: outside the support

    def move(x):
        def once(dice):
            result = kernel(
                dice,
                ChainState(x, horizon),
                model,
                PROMPT,
                alpha=ALPHA,
                temperature=temperature,
                cuts=UniformCuts(),
                rules=rules,
            )
            return x.tokens if result is None else result[0].completion.tokens

        return once

    for tokens, x in known.items():
        for after, probability in law(move(x)).items():
            transitions[order[tokens], order.get(after, len(order))] += probability
    return transitions, np.array(list(target.values()))


def invariance_error(transitions, pi):
    """Total variation between pi and pi K."""
    return 0.5 * np.abs(np.append(pi, 0.0) - pi @ transitions).sum()


@pytest.mark.parametrize("temperature", [1 / ALPHA, 0.5, 1.0])
@pytest.mark.parametrize("rules", RULES.values(), ids=RULES.keys())
@pytest.mark.parametrize("toy", TOYS.values(), ids=TOYS.keys())
def test_the_step_leaves_p_to_the_alpha_invariant_and_is_reversible(toy, rules, temperature):
    transitions, pi = matrix(toy, 3, temperature, rules)
    flow = pi[:, None] * transitions[:, :-1]
    assert transitions[:, -1].max() == 0.0, "a step left the support"
    assert np.abs(transitions.sum(axis=1) - 1.0).max() < 1e-12
    assert invariance_error(transitions, pi) < 1e-12
    assert np.abs(flow - flow.T).max() < 1e-12


@pytest.mark.parametrize("toy", TOYS.values(), ids=TOYS.keys())
def test_every_state_can_be_reached_from_every_other(toy):
    transitions, pi = matrix(toy, 3, 1 / ALPHA)
    reached = np.linalg.matrix_power(transitions[:, :-1], 64)
    assert (reached > 0).all()
    assert np.abs(np.linalg.matrix_power(transitions[:, :-1], 4096) - pi).max() < 1e-6


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS.keys())
def test_control_a_wrong_rule_is_caught_by_the_same_enumeration(mutant):
    errors = [invariance_error(*matrix(toy, 4, 1 / ALPHA, kernel=mutant)) for toy in (TOYS["generic"],)]
    assert max(errors) > 1e-4


def test_at_temperature_one_over_alpha_the_token_weight_is_the_normaliser_whatever_was_drawn():
    model, alpha = TOYS["generic"], ALPHA
    for tokens, x in states(model, 3, 1 / alpha).items():
        for i in range(len(tokens)):
            row = np.asarray(model.logits([PROMPT + tokens[:i]])[0])
            log_p = row - np.log(np.exp(row).sum())
            log_z = np.log(np.exp(alpha * log_p).sum())
            assert abs(alpha * x.log_p[i] - x.log_q[i] - log_z) < 1e-12


@pytest.mark.parametrize("block", [1, 2, 3, 4, 7])
def test_states_are_complete_at_their_horizon_and_the_last_stage_runs_at_max_tokens(block):
    from localpower.chance import StreamDice
    from localpower.events import Extended, Stepped

    model = ToyModel(seed=4, end_bias=-1.0)
    for seed in range(20):
        sampler = PowerMH(ALPHA, 1 / ALPHA, max_tokens=7, block=block, steps=2)
        state, horizons = Completion(), []
        for event in sampler.run(model, PROMPT, StreamDice(seed)):
            if isinstance(event, Extended):
                state = state.head(event.kept).join(event.suffix)
            if isinstance(event, Stepped):
                assert state.complete_at(event.horizon)
                assert len(state) <= event.horizon
                horizons.append(event.horizon)
                if event.accepted:
                    state = state.head(event.cut).join(event.suffix)
        assert horizons[-2:] == [7, 7]
        assert set(horizons) <= {min(k * block, 7) for k in range(1, 8)}


def test_once_the_answer_has_ended_the_next_stage_is_the_last():
    from localpower.chance import StreamDice
    from localpower.events import Stepped

    model = ToyModel(seed=4, end_bias=20.0)
    sampler = PowerMH(ALPHA, 1 / ALPHA, max_tokens=40, block=4, steps=3)
    steps = [e for e in sampler.run(model, PROMPT, StreamDice(0)) if isinstance(e, Stepped)]
    assert [e.horizon for e in steps] == [4, 4, 4, 40, 40, 40]


@pytest.mark.parametrize(
    "settings",
    [
        {"alpha": 0.5},
        {"alpha": float("nan")},
        {"alpha": float("inf")},
        {"temperature": 0.1},
        {"temperature": 1.5},
        {"max_tokens": 0},
        {"block": 0},
        {"steps": -1},
    ],
)
def test_settings_that_can_never_be_right_are_refused(settings):
    from localpower.errors import UsageProblem

    with pytest.raises(UsageProblem, match="must be"):
        PowerMH(**settings)
