"""Every answer of a tiny GGUF is enumerated through llama.cpp; chains on the real engine must follow p^alpha."""

from __future__ import annotations

import math

import numpy as np
import pytest

from localpower.chance import StreamDice
from localpower.runs.gather import Run, gather
from localpower.samplers.cuts import UniformCuts
from localpower.samplers.kernel import ChainState, Kernel
from localpower.selftest.law import ForgottenLengthTerm, recorded
from localpower.statistics import g_test
from localpower.toy import power_law

PROMPT = (0, 1)
HORIZON, ALPHA = 4, 3.0
REPLICATES, STEPS, WIDTH = 720, 6, 24  # with which the control's chance is 1e-11
LOG_LEVEL = math.log(1e-6)  # chance of a false alarm in each test


@pytest.fixture(scope="module")
def engine(tiny):
    return tiny.engine(PROMPT, HORIZON, WIDTH, lambda: None)


@pytest.fixture(scope="module")
def target(engine):
    return power_law(engine, PROMPT, HORIZON, ALPHA)


def counts_after_steps(engine, target, cuts):
    """End states of replicates that start from exact draws of the target; 24 share each batch."""
    order = {tokens: i for i, tokens in enumerate(target)}
    law = np.array(list(target.values()))
    dice, kernel = StreamDice(7), Kernel(ALPHA, 1 / ALPHA, cuts)
    starts = {}
    ends = np.zeros(len(order), np.int64)

    def replicate(index):
        def run(handle):
            own = dice.spawn(index)
            tokens = list(order)[own.spawn(0).pick(law)]
            if tokens not in starts:
                starts[tokens] = recorded(handle, PROMPT, tokens, HORIZON, ALPHA)
            state = ChainState(starts[tokens], HORIZON)
            for k in range(STEPS):
                handle.pin(PROMPT + state.completion.tokens)
                state, _ = kernel.step(own.spawn(1 + k), state, handle, PROMPT)
            ends[order[state.completion.tokens]] += 1
            yield from ()

        return Run(PROMPT, run)

    for first in range(0, REPLICATES, WIDTH):
        for _ in gather(engine, [replicate(i) for i in range(first, first + WIDTH)]):
            pass
    return ends


def test_the_enumeration_lists_every_answer_and_its_base_law_sums_to_one(engine, target):
    assert len(target) == 1 + 3 + 9 + 27 + 81, "ended after 0 to 3 letters, or four letters"
    base = power_law(engine, PROMPT, HORIZON, 1.0)
    assert abs(sum(math.exp(engine.score(PROMPT, tokens).sum()) for tokens in base) - 1.0) < 1e-5


def test_chains_on_the_real_engine_leave_p_to_the_alpha_invariant(engine, target):
    counts = counts_after_steps(engine, target, UniformCuts())
    fit = g_test(counts, np.array(list(target.values())))
    assert counts.sum() == REPLICATES
    assert fit.log_p > LOG_LEVEL, f"chance {math.exp(fit.log_p):.2g} under the target"


def test_control_a_kernel_without_its_length_term_fails_the_same_test(engine, target):
    counts = counts_after_steps(engine, target, ForgottenLengthTerm())
    assert g_test(counts, np.array(list(target.values()))).log_p < LOG_LEVEL
