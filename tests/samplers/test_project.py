"""The chain of `project` is proved here: all paths of its random choices on toy models, to 1e-12."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from localpower.chance import StreamDice
from localpower.completion import PLAIN, Completion
from localpower.errors import UsageProblem, UserError
from localpower.events import Adopted, Planned, Stepped
from localpower.methods import Expert, Target
from localpower.numerics import log_softmax
from localpower.samplers import Budget
from localpower.samplers.cuts import CUTS, UniformCuts, cut_law
from localpower.samplers.kernel import ChainState
from localpower.samplers.project import Project, Projection
from localpower.samplers.projection import NEVER, ProjectionKernel
from localpower.testing import transition_matrix
from localpower.toy import ToyModel, power_law
from tests.project_mutants import ENTROPY_MUTANTS, MUTANTS
from tests.samplers.small import ABC, PROMPT, RULES, TOYS, check_balance, invariance_error
from tests.settings import thinned

SHOWN = (2, 2, 1)
VERIFIERS = {
    "has an a": lambda tokens: 1 in tokens,
    "ended, odd": lambda tokens: tokens[-1] != 1 and sum(tokens) % 2 == 1,
}


def expert(accepts, answer=(1,), prompt=SHOWN):
    return Expert(prompt, answer, accepts)


def state(model, tokens, temperature, rules, prompt=PROMPT, shown=SHOWN):
    """A state with its two records, by another way than the sampler's."""
    log_p, log_q, entropy, given = (np.zeros(len(tokens)) for _ in range(4))
    for i, token in enumerate(tokens):
        if rules.given(tokens[:i]) is not None:
            given[i] = 1
            continue
        p = log_softmax(model.logits([prompt + tokens[:i]])[0])
        q = log_softmax(model.logits([shown + tokens[:i]])[0] / temperature)
        log_p[i], log_q[i] = p[token], max(q[token], NEVER)
        possible = p[p > -np.inf]
        entropy[i] = -(np.exp(possible) * possible).sum()
    since = 1 + max((i for i, one in enumerate(given) if one), default=-1)
    ended = (tokens[-1] in model.eos or rules.ended(tokens[since:])) and not given[-1]
    return Completion(tokens, bool(ended), log_p, log_q, entropy, given.astype(bool))


def matrix(model, horizon, kernel):
    """The exact transition matrix K, and the target pi, over all states in one order."""
    law = power_law(model, PROMPT, horizon, kernel.alpha, kernel.rules)
    right = {tokens: share for tokens, share in law.items() if kernel.expert.accepts(tokens)}
    known = {tokens: state(model, tokens, kernel.temperature, kernel.rules) for tokens in right}
    pi = np.array(list(right.values())) / sum(right.values())
    assert len(pi) > 3

    def once(dice, x, model, prompt):
        return kernel.step(dice, ChainState(x, horizon), model, prompt)[0].completion

    return transition_matrix(once, known, model, PROMPT), pi


@pytest.mark.parametrize(
    ("toy", "rules", "cuts", "target"),
    thinned(
        [*TOYS],
        [*RULES],
        [*CUTS],
        [(1.0, 1.0, "has an a"), (1.0, 0.6, "ended, odd"), (2.0, 1.3, "has an a"), (2.0, 0.5, "ended, odd")],
    ),
)
def test_the_step_leaves_the_power_of_what_is_right_invariant_and_is_reversible(toy, rules, cuts, target):
    alpha, temperature, accepts = target
    kernel = ProjectionKernel(alpha, temperature, cut_law(cuts), expert(VERIFIERS[accepts]), RULES[rules])
    check_balance(*matrix(TOYS[toy], 3, kernel))


@pytest.mark.parametrize(("toy", "cuts", "alpha"), thinned([*TOYS], [*CUTS], [1.0, 2.0]))
def test_the_skip_leaves_every_transition_probability_as_it_is(toy, cuts, alpha):
    kernel = ProjectionKernel(alpha, 0.8, cut_law(cuts), expert(VERIFIERS["has an a"]))
    with_it, without = (matrix(TOYS[toy], 3, replace(kernel, skip=skip))[0] for skip in (True, False))
    assert np.abs(with_it - without).max() < 1e-12


@pytest.mark.parametrize("alpha", [1.0, 2.0])
def test_from_the_experts_answer_the_chain_comes_to_its_target(alpha):
    model, kernel = TOYS["generic"], ProjectionKernel(alpha, 1.0, UniformCuts(), expert(lambda t: 1 in t))
    transitions, pi = matrix(model, 3, kernel)
    assert np.abs(np.linalg.matrix_power(transitions[:, :-1], 4096) - pi).max() < 1e-9


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS.keys())
def test_control_a_wrong_rule_is_caught_by_the_same_enumeration(mutant):
    kernel = mutant(1.0, 1.0, UniformCuts(), expert(VERIFIERS["has an a"]))
    assert invariance_error(*matrix(TOYS["generic"], 3, kernel)) > 1e-4


@pytest.mark.parametrize("mutant", ENTROPY_MUTANTS.values(), ids=ENTROPY_MUTANTS.keys())
def test_control_an_entropy_of_another_prompt_is_caught_where_cuts_follow_it(mutant):
    kernel = mutant(1.0, 1.0, cut_law("entropy"), expert(VERIFIERS["has an a"]))
    assert invariance_error(*matrix(TOYS["generic"], 3, kernel)) > 1e-4


@pytest.mark.parametrize("temperature", [1.0, 0.5])
@pytest.mark.parametrize("rules", RULES.values(), ids=RULES.keys())
def test_the_start_is_the_experts_answer_with_its_end_and_both_records(rules, temperature):
    model, answer = TOYS["generic"], (1, 2)
    kernel = ProjectionKernel(1.0, temperature, UniformCuts(), expert(lambda t: True, answer), rules)
    for ahead in (False, True):
        found, n_scored = replace(kernel, ahead=ahead).start(model, PROMPT, 5)
        tokens = answer if rules.ended(answer) else (1, 2, 0)
        known = state(model, tokens, temperature, rules)
        assert found == known
        for name in ("log_p", "log_q", "entropy", "given"):
            assert np.allclose(getattr(found, name), getattr(known, name), atol=1e-12, rtol=0)
        assert n_scored == 2 * found.n_drawn


def test_of_several_tokens_that_end_an_answer_the_start_has_the_likeliest():
    class TwoEnds(ToyModel):
        eos = frozenset({0, 2})

    model = TwoEnds(ABC, seed=1)
    row = model.logits([(*PROMPT, 1)])[0]
    kernel = ProjectionKernel(1.0, 1.0, UniformCuts(), expert(lambda t: True))
    assert kernel.start(model, PROMPT, 4)[0].tokens == (1, 0 if row[0] > row[2] else 2)


@pytest.mark.parametrize(
    ("answer", "rules", "accepts", "why"),
    [
        ((2,), PLAIN, lambda t: 1 in t, "the verifier rejects"),
        ((1, 1, 1, 1), PLAIN, lambda t: True, "5 tokens with its end, and an answer has at most 4"),
        ((1, 0, 1), PLAIN, lambda t: True, "ends early, at token 2 of 3"),
        ((1, 2, 1), RULES["stop on 1,2"], lambda t: True, "ends early, at token 2 of 3"),
        ((1, 1), RULES["2 given after a first 1"], lambda t: True, "lacks a token"),
    ],
)
def test_an_answer_that_is_no_state_is_refused_by_name(answer, rules, accepts, why):
    sampler = Projection(expert(accepts, answer), max_tokens=4, rules=rules)
    with pytest.raises(UserError, match=why):
        next(sampler.run(TOYS["generic"], PROMPT, StreamDice(1)))


def test_an_answer_that_the_model_never_writes_is_refused_by_name():
    class NeverB(ToyModel):
        def logits(self, contexts, prompt_lengths=None):
            return [np.where(np.arange(3) == 2, -np.inf, row) for row in super().logits(contexts)]

    sampler = Projection(expert(lambda t: True, (2,)), max_tokens=4)
    with pytest.raises(UserError, match="never writes"):
        next(sampler.run(NeverB(ABC, seed=1), PROMPT, StreamDice(1)))


def test_without_an_expert_the_method_is_refused_by_name_with_what_to_do():
    with pytest.raises(UsageProblem, match="needs a worked answer and a verifier") as raised:
        Project().sampler(Target(4.0, 9, PLAIN))
    assert "localpower eval" in raised.value.line()


@pytest.mark.parametrize(("tokens", "steps"), [(11, 0), (12, 1), (50, 4), (5000, 9)])
def test_a_budget_plans_as_many_steps_as_none_of_which_it_can_cut_off(tokens, steps):
    sampler = Projection(expert(lambda t: True), max_tokens=12, steps=9, budget=Budget(tokens=tokens))
    _, planned, *rest = sampler.run(ToyModel(seed=5, end_bias=-9.0), PROMPT, StreamDice(2))
    assert planned == Planned(steps, tokens)
    assert sum(isinstance(event, Stepped) for event in rest) == steps


def test_the_verifier_is_asked_first_and_a_wrong_proposal_costs_no_row_of_the_plain_prompt():
    asked = []

    class Counting(ToyModel):
        def logits(self, contexts, prompt_lengths=None):
            asked.extend(context[: len(PROMPT)] for context in contexts)
            return super().logits(contexts)

    sampler = Projection(expert(lambda t: t == (1, 0)), max_tokens=6, steps=40)
    events = list(sampler.run(Counting(seed=5, end_bias=-1.0), PROMPT, StreamDice(2)))
    steps = [event for event in events if isinstance(event, Stepped)]
    assert sum(step.refused for step in steps) > 20
    assert all(step.n_scored == (0 if step.refused or step.free else step.n_decoded) for step in steps)
    scored = events[0].n_scored // 2 + sum(step.n_scored for step in steps)
    assert asked.count(PROMPT) == scored
    assert len(asked) - scored == events[0].n_scored // 2 + sum(step.n_decoded for step in steps)


def test_every_decision_can_be_made_again_from_the_record_and_the_model():
    """Folded from the events: sums, kappa, verdict and decision, against numbers of the model's own."""
    model, accepts = ToyModel(seed=5, spread=0.7), lambda tokens: len(tokens) % 2 == 0
    law, moved = UniformCuts(), 0
    for seed in range(10):
        sampler = Projection(expert(accepts), 2.0, 0.7, max_tokens=12, steps=30, cuts=law)
        x = Completion()
        for event in sampler.run(model, PROMPT, StreamDice(seed)):
            if isinstance(event, Adopted):
                x = event.suffix
            if isinstance(event, Stepped):
                y = x.head(event.cut).join(event.suffix)
                assert event.refused == (not accepts(y.tokens))
                if not event.refused:
                    known = [state(model, z.tokens, 0.7, PLAIN) for z in (y, x)]
                    log_w = [float((2 * z.log_p[event.cut :] - z.log_q[event.cut :]).sum()) for z in known]
                    ratio = log_w[0] - log_w[1] + np.log(x.n_drawn / y.n_drawn)
                    assert event.log_ratio == pytest.approx(ratio, abs=1e-9)
                    assert event.accepted == (event.log_u < event.log_ratio)
                else:
                    assert not event.accepted
                    assert event.suffix.log_p[(event.divergence or event.cut) - event.cut :].sum() == 0.0
                moved += event.accepted and not event.free
                x = y if event.accepted else x
    assert moved > 5
