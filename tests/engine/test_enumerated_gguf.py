"""Every answer of a tiny GGUF is enumerated through llama.cpp; chains on the real engine must follow p^alpha."""

from __future__ import annotations

import math

import pytest

from localpower.samplers.cuts import UniformCuts
from localpower.samplers.kernel import Kernel
from localpower.selftest.law import ForgottenLengthTerm, recorded
from localpower.statistics import g_test
from localpower.toy import power_law
from tests.engine.replicates import WIDTH, end_states

PROMPT = (0, 1)
HORIZON, ALPHA = 4, 3.0
REPLICATES = 720  # with which the control's chance is 1e-11
LOG_LEVEL = math.log(1e-6)  # chance of a false alarm in each test


@pytest.fixture(scope="module")
def engine(tiny):
    return tiny.engine(PROMPT, HORIZON, WIDTH, lambda: None)


@pytest.fixture(scope="module")
def target(engine):
    return power_law(engine, PROMPT, HORIZON, ALPHA)


def fit(engine, target, cuts):
    """Of the ends of chains to the target."""

    def start(handle, tokens):
        return recorded(handle, PROMPT, tokens, HORIZON, ALPHA)

    how = {"prompt": PROMPT, "horizon": HORIZON, "steps": 6, "replicates": REPLICATES}
    return g_test(*end_states(engine, target, Kernel(ALPHA, 1 / ALPHA, cuts), start, **how))


def test_the_enumeration_lists_every_answer_and_its_base_law_sums_to_one(engine, target):
    assert len(target) == 1 + 3 + 9 + 27 + 81, "ended after 0 to 3 letters, or four letters"
    base = power_law(engine, PROMPT, HORIZON, 1.0)
    assert abs(sum(math.exp(engine.score(PROMPT, tokens).sum()) for tokens in base) - 1.0) < 1e-5


def test_chains_on_the_real_engine_leave_p_to_the_alpha_invariant(engine, target):
    found = fit(engine, target, UniformCuts())
    assert found.log_p > LOG_LEVEL, f"chance {math.exp(found.log_p):.2g} under the target"


def test_control_a_kernel_without_its_length_term_fails_the_same_test(engine, target):
    assert fit(engine, target, ForgottenLengthTerm()).log_p < LOG_LEVEL
