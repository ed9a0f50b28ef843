"""`project` through llama.cpp: the law of right answers of a tiny GGUF, and no token that is evaluated twice."""

from __future__ import annotations

import math

import pytest

from localpower.chance import StreamDice
from localpower.events import Adopted, Stepped
from localpower.methods import Expert
from localpower.runs.gather import Run, gather
from localpower.samplers.cuts import UniformCuts
from localpower.samplers.project import Projection
from localpower.samplers.projection import ProjectionKernel
from localpower.statistics import g_test
from localpower.toy import power_law
from tests.engine.replicates import WIDTH, end_states
from tests.project_mutants import MUTANTS

PROMPT, SHOWN = (0, 1), (1, 1, 0, 2)
HORIZON, ALPHA, TEMPERATURE = 4, 1.0, 0.8
REPLICATES = 480  # as many as the control needs, by a factor of 100 in its chance
LOG_LEVEL = math.log(1e-6)  # chance of a false alarm in each test
EXPERT = Expert(SHOWN, (1,), lambda tokens: 1 in tokens)
ENGINES = ["tiny", "tiny_shared"]  # rows of an answer one at a time, and together


def engine_of(request, name, runs):
    loaded = request.getfixturevalue(name)
    engine = loaded.engine(SHOWN, 40, 2 * runs, lambda: None, chains=2 * runs, prompts=2 * runs)
    return engine, loaded.goes_ahead()


def fit(engine, ahead, kernel):
    """Of the ends of chains to the target."""
    law = power_law(engine, PROMPT, HORIZON, ALPHA)
    right = {tokens: share for tokens, share in law.items() if EXPERT.accepts(tokens)}

    def start(handle, tokens):
        """An exact draw as a state with both records: a chain may begin with it as with an expert's answer."""
        ended = tokens[-1] in handle.eos
        given = Expert(SHOWN, tokens[:-1] if ended else tokens, EXPERT.accepts)
        chain = ProjectionKernel(ALPHA, TEMPERATURE, UniformCuts(), given, ahead=ahead)
        return chain.start(handle if ended else _Endless(handle), PROMPT, HORIZON)[0]

    how = {"prompt": PROMPT, "horizon": HORIZON, "steps": 4, "replicates": REPLICATES, "shown": SHOWN}
    return g_test(*end_states(engine, right, kernel, start, **how))


class _Endless:
    """A model without a token that ends an answer: what is as long as the horizon is an answer."""

    eos = frozenset()

    def __init__(self, model):
        self._model = model

    def __getattr__(self, name):
        return getattr(self._model, name)


@pytest.mark.parametrize("name", ENGINES)
def test_chains_on_the_real_engine_leave_the_power_of_right_answers_invariant(request, name):
    engine, ahead = engine_of(request, name, WIDTH)
    kernel = ProjectionKernel(ALPHA, TEMPERATURE, UniformCuts(), EXPERT, ahead=ahead)
    found = fit(engine, ahead, kernel)
    engine.close()
    assert found.log_p > LOG_LEVEL, f"chance {math.exp(found.log_p):.2g} under the target"


def test_control_a_kernel_that_confuses_the_prompts_fails_the_same_test(request):
    engine, ahead = engine_of(request, "tiny_shared", WIDTH)
    wrong = MUTANTS["log p of the proposal under the expert's prompt"]
    found = fit(engine, ahead, wrong(ALPHA, TEMPERATURE, UniformCuts(), EXPERT, ahead=ahead))
    engine.close()
    assert found.log_p < LOG_LEVEL


@pytest.mark.parametrize("name", ENGINES)
def test_both_prompts_stay_in_the_cache_and_hardly_a_token_is_evaluated_twice(request, name):
    engine, ahead = engine_of(request, name, 1)
    sampler = Projection(
        Expert(SHOWN, (1, 2, 1, 1, 2) * 5, lambda t: len(t) > 3), max_tokens=40, steps=60, ahead=ahead
    )
    (events,) = [
        [e for _, e in gather(engine, [Run(PROMPT, lambda h: sampler.run(h, PROMPT, StreamDice(4)))])]
    ]
    steps = [event for event in events if isinstance(event, Stepped)]
    needed = sum(event.n_scored for event in events if isinstance(event, Adopted | Stepped))
    needed += sum(step.n_decoded for step in steps)
    moves = sum(step.accepted and not step.free for step in steps)
    engine.close()
    assert moves > 3
    assert needed <= engine.counters.answer_tokens + engine.counters.prefill_tokens
    # A step goes back to a place in the middle under each prompt: a token there is evaluated for its row again.
    assert engine.counters.answer_tokens < needed + 4 * len(steps)
