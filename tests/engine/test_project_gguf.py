"""`project` through llama.cpp: the law of right answers of a tiny GGUF, and no token that is evaluated twice."""

from __future__ import annotations

import math

import numpy as np
import pytest

from localpower.chance import StreamDice
from localpower.events import Adopted, Stepped
from localpower.methods import Expert
from localpower.model import beside
from localpower.runs.gather import Run, gather
from localpower.samplers.cuts import UniformCuts
from localpower.samplers.kernel import ChainState
from localpower.samplers.project import Projection
from localpower.samplers.projection import ProjectionKernel
from localpower.statistics import g_test
from localpower.toy import power_law
from tests.project_mutants import MUTANTS

PROMPT, SHOWN = (0, 1), (1, 1, 0, 2)
HORIZON, ALPHA, TEMPERATURE = 4, 1.0, 0.8
REPLICATES, STEPS, WIDTH = 480, 4, 24  # as many as the control needs, by a factor of 100 in its chance
LOG_LEVEL = math.log(1e-6)  # chance of a false alarm in each test
EXPERT = Expert(SHOWN, (1,), lambda tokens: 1 in tokens)
ENGINES = ["tiny", "tiny_shared"]  # rows of an answer one at a time, and together


def engine_of(request, name, runs):
    loaded = request.getfixturevalue(name)
    engine = loaded.engine(SHOWN, 40, 2 * runs, lambda: None, chains=2 * runs, prompts=2 * runs)
    return engine, loaded.goes_ahead()


def counts_after_steps(engine, ahead, kernel):
    """End states of replicates that start from exact draws of the target; 24 share each batch."""
    law = power_law(engine, PROMPT, HORIZON, ALPHA)
    right = {tokens: share for tokens, share in law.items() if EXPERT.accepts(tokens)}
    order = {tokens: i for i, tokens in enumerate(right)}
    pi = np.array(list(right.values())) / sum(right.values())
    dice, starts, ends = StreamDice(7), {}, np.zeros(len(order), np.int64)

    def start(handle, tokens):
        """An exact draw as a state with both records: a chain may begin with it as with an expert's answer."""
        if tokens not in starts:
            ended = tokens[-1] in handle.eos
            given = Expert(SHOWN, tokens[:-1] if ended else tokens, EXPERT.accepts)
            model = handle if ended else _Endless(handle)
            chain = ProjectionKernel(ALPHA, TEMPERATURE, UniformCuts(), given, ahead=ahead)
            starts[tokens] = chain.start(model, PROMPT, HORIZON)[0]
        return starts[tokens]

    def replicate(index):
        def run(handle):
            own = dice.spawn(index)
            state = ChainState(start(handle, list(order)[own.spawn(0).pick(pi)]), HORIZON)
            for k in range(STEPS):
                handle.pin(PROMPT + state.completion.tokens)
                beside(handle, SHOWN).pin(SHOWN + state.completion.tokens)
                state, _ = kernel.step(own.spawn(1 + k), state, handle, PROMPT)
            ends[order[state.completion.tokens]] += 1
            yield from ()

        return Run(PROMPT, run)

    for first in range(0, REPLICATES, WIDTH):
        for _ in gather(engine, [replicate(i) for i in range(first, first + WIDTH)]):
            pass
    return ends, pi


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
    counts, pi = counts_after_steps(engine, ahead, kernel)
    fit = g_test(counts, pi)
    engine.close()
    assert counts.sum() == REPLICATES
    assert fit.log_p > LOG_LEVEL, f"chance {math.exp(fit.log_p):.2g} under the target"


def test_control_a_kernel_that_confuses_the_prompts_fails_the_same_test(request):
    engine, ahead = engine_of(request, "tiny_shared", WIDTH)
    wrong = MUTANTS["log p of the proposal under the expert's prompt"]
    counts, pi = counts_after_steps(
        engine, ahead, wrong(ALPHA, TEMPERATURE, UniformCuts(), EXPERT, ahead=ahead)
    )
    engine.close()
    assert g_test(counts, pi).log_p < LOG_LEVEL


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
