"""The kernel is proved here: all paths of its random choices on toy models, to 1e-12."""

from __future__ import annotations

from functools import cache, partial

import numpy as np
import pytest

from localpower.chance import StreamDice
from localpower.completion import PLAIN, Completion, Rules, extend
from localpower.events import Extended, Stepped
from localpower.samplers.acceptance import StepVariant
from localpower.samplers.cuts import CUTS, UniformCuts, cut_law
from localpower.samplers.kernel import ChainState, Kernel, Optimizations
from localpower.samplers.mh import PowerMH
from localpower.testing import states, transition_matrix
from localpower.text.thinking import Thought
from localpower.toy import ToyModel, power_law
from tests.mutants import HOT_MUTANTS, MUTANTS, OPTIMIZATION_MUTANTS, VARIANT_MUTANTS
from tests.samplers import small
from tests.samplers.small import ABC, PROMPT, TOYS, check_balance, invariance_error
from tests.settings import thinned

ALPHA = 3.0
THOUGHT = Thought(("a", "b"), False, lambda token: (b"", b"a", b"b", b"c")[token])
RULES = {
    **small.RULES,
    "one token given first": Rules(given=lambda x: 1 if x == () else None),
    "a thought of one token at most": Rules(given=THOUGHT.limited(1, (2, 1))),
}
UNIFORM = UniformCuts()


@cache
def matrix(model, horizon, temperature, rules=PLAIN, kernel=Kernel, cuts=UNIFORM):
    """The exact transition matrix K, and the target pi, over all states in one order; several tests ask for the same."""

    def once(dice, x, model, prompt):
        chain = kernel(ALPHA, temperature, cuts, rules)
        result = chain.step(dice, ChainState(x, horizon), model, prompt)
        return x if result is None else result[0].completion

    known = states(model, PROMPT, horizon, temperature, rules)
    target = power_law(model, PROMPT, horizon, ALPHA, rules)
    assert set(known) == set(target)
    return transition_matrix(once, known, model, PROMPT), np.array([target[tokens] for tokens in known])


FORMS = {
    "plain": StepVariant(),
    "metropolised": StepVariant(metropolised=True),
    "hot cut": StepVariant(hot_cut=True),
    "hot cut, metropolised": StepVariant(hot_cut=True, metropolised=True),
}
OTHERS = [form for form in FORMS if form != "plain"]
KERNELS = {"plain": Kernel} | {form: partial(Kernel, variant=FORMS[form]) for form in OTHERS}
GIVEN = "2 given after a first 1"
GRID = [
    *((toy, "plain", *rest) for toy, *rest in thinned(TOYS, RULES, CUTS, [1 / ALPHA, 0.5, 1.0])),
    *(
        (toy, form, rules, cuts, temperature)
        for toy, form, cuts, (rules, temperature) in thinned(
            *(TOYS, OTHERS, CUTS), [("plain", 1 / ALPHA), (GIVEN, 0.5), (GIVEN, 1 / ALPHA), ("plain", 0.5)]
        )
    ),
]


@pytest.mark.parametrize(("toy", "form", "rules", "cuts", "temperature"), GRID)
def test_every_form_of_the_step_leaves_p_to_the_alpha_invariant_and_is_reversible(
    toy, form, rules, cuts, temperature
):
    check_balance(*matrix(TOYS[toy], 3, temperature, RULES[rules], KERNELS[form], cut_law(cuts)))


@pytest.mark.parametrize(
    ("toy", "form"), [*((toy, "plain") for toy in TOYS), *(("generic", form) for form in OTHERS)]
)
@pytest.mark.parametrize("cuts", CUTS)
def test_the_optimizations_leave_every_transition_probability_as_it_is(toy, form, cuts):
    without = partial(Kernel, variant=FORMS[form], optimizations=Optimizations(skip=False, early=False))
    one, other = (
        matrix(TOYS[toy], 3, 1 / ALPHA, PLAIN, kernel, cut_law(cuts))[0]
        for kernel in (KERNELS[form], without)
    )
    assert np.abs(one - other).max() < 1e-12


def test_a_metropolised_step_mixes_better():
    def second_eigenvalue(kernel):
        transitions, _ = matrix(TOYS["generic"], 3, 1 / ALPHA, kernel=kernel)
        return np.sort(np.abs(np.linalg.eigvals(transitions[:, :-1])))[-2]

    def moves(kernel):
        transitions, pi = matrix(TOYS["generic"], 3, 1 / ALPHA, kernel=kernel)
        return 1.0 - pi @ np.diag(transitions[:, :-1])

    assert second_eigenvalue(KERNELS["metropolised"]) < second_eigenvalue(Kernel)
    assert moves(Kernel) < moves(KERNELS["metropolised"])


def test_a_state_that_rounding_calls_certain_is_never_left_by_a_metropolised_step():
    model = ToyModel(ABC, seed=2, end_bias=2000.0)
    x = extend(StreamDice(1), model, PROMPT, Completion(), 3, temperature=1 / ALPHA)
    assert x.log_q.sum() == 0.0
    chain = KERNELS["metropolised"](ALPHA, 1 / ALPHA, UNIFORM)
    _, info = chain.step(StreamDice(2), ChainState(x, 3), model, PROMPT)
    assert info.divergence is None
    assert info.n_decoded == 0


@pytest.mark.parametrize("cuts", CUTS)
@pytest.mark.parametrize("skip", [True, False])
def test_early_rejection_changes_no_chain_and_saves_tokens(cuts, skip):
    model = ToyModel(seed=5, spread=2.0, end_bias=-2.0)
    tokens = {True: 0, False: 0}
    for seed in range(8):
        ends = []
        for early in (True, False):
            sampler = PowerMH(
                ALPHA, 1 / ALPHA, 24, 8, 6, cut_law(cuts), optimizations=Optimizations(skip, early)
            )
            events = list(sampler.run(model, PROMPT, StreamDice(seed)))
            steps = [e for e in events if isinstance(e, Stepped)]
            tokens[early] += sum(e.n_decoded for e in steps)
            ends.append([(e.cut, e.accepted, e.suffix.tokens if e.accepted else None) for e in steps])
        assert ends[0] == ends[1]
    assert tokens[True] < tokens[False]


@pytest.mark.parametrize("cuts", CUTS)
def test_a_complete_answer_weighs_what_its_bound_came_down_to(cuts):
    """The cut law of the record equals the one that was followed token by token."""
    model, law = ToyModel(seed=5, spread=2.0, end_bias=-1.0), cut_law(cuts)
    x = Completion()
    for event in PowerMH(ALPHA, 1 / ALPHA, 24, 8, 9, law).run(model, PROMPT, StreamDice(3)):
        if isinstance(event, Extended):
            x = x.head(event.kept).join(event.suffix)
        if isinstance(event, Stepped):
            y = x.head(event.cut).join(event.suffix)
            assert event.log_kappa_x == law.log_kappa(x, event.cut)
            if event.early:
                assert event.log_kappa_y <= law.log_kappa(y, event.cut)
                assert event.log_u >= event.log_ratio
            else:
                assert abs(event.log_kappa_y - law.log_kappa(y, event.cut)) < 1e-12
            x = y if event.accepted else x


@pytest.mark.parametrize("cuts", CUTS)
def test_cut_laws_are_laws_and_weights_agree_with_log_kappa(cuts):
    law = cut_law(cuts)
    for x in states(TOYS["generic"], PROMPT, 4, 1 / ALPHA, RULES["2 given after a first 1"]).values():
        weights = law.weights(x) / law.weights(x).sum()
        drawn = np.flatnonzero(~x.given)
        assert set(np.flatnonzero(weights)) == set(drawn)
        assert np.allclose(
            np.log(weights[drawn]), [law.log_kappa(x, int(i)) for i in drawn], atol=1e-12, rtol=0
        )


@pytest.mark.parametrize("toy", TOYS.values(), ids=TOYS.keys())
def test_every_state_can_be_reached_from_every_other(toy):
    transitions, pi = matrix(toy, 3, 1 / ALPHA)
    reached = np.linalg.matrix_power(transitions[:, :-1], 64)
    assert (reached > 0).all()
    assert np.abs(np.linalg.matrix_power(transitions[:, :-1], 4096) - pi).max() < 1e-6


WRONG = {
    **{name: (kernel, UNIFORM) for name, kernel in {**MUTANTS, **VARIANT_MUTANTS, **HOT_MUTANTS}.items()},
    **OPTIMIZATION_MUTANTS,
}


@pytest.mark.parametrize(("kernel", "cuts"), WRONG.values(), ids=WRONG.keys())
def test_control_a_wrong_step_is_caught_by_the_same_enumeration(kernel, cuts):
    """In the smallest answers first: there most show at once."""
    sizes = ((2, 1, 1.5), (3, 1, 1.5), (3, 27, 4.0), (4, 27, 4.0))
    assert any(
        invariance_error(
            *matrix(ToyModel(ABC, seed=seed, spread=spread), horizon, 1 / ALPHA, PLAIN, kernel, cuts)
        )
        > 1e-6
        for horizon, seed, spread in sizes
    )


def test_at_temperature_one_over_alpha_the_token_weight_is_the_normaliser_whatever_was_drawn():
    model, alpha = TOYS["generic"], ALPHA
    for tokens, x in states(model, PROMPT, 3, 1 / alpha).items():
        for i in range(len(tokens)):
            row = np.asarray(model.logits([PROMPT + tokens[:i]])[0])
            log_p = row - np.log(np.exp(row).sum())
            log_z = np.log(np.exp(alpha * log_p).sum())
            assert abs(alpha * x.log_p[i] - x.log_q[i] - log_z) < 1e-12


@pytest.mark.parametrize("block", [1, 2, 3, 4, 7])
def test_states_are_complete_at_their_horizon_and_the_last_stage_runs_at_max_tokens(block):
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
