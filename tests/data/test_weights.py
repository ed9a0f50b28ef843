"""The weight in a row makes weighted training right: by enumeration of all paths of the random choices."""

from __future__ import annotations

import math

import pytest

from localpower.samplers import BestOfNSampler, PowerSMC
from localpower.testing import outcomes
from localpower.toy import ToyModel, answers
from tests.samplers.small import end_of

PROMPT, ALPHA = (1, 2), 3.0
TOY = ToyModel(("<end>", "a", "b"), seed=1)
SAMPLERS = {
    "best-of-n": BestOfNSampler(ALPHA, 1 / ALPHA, max_tokens=2, n=2),
    "best-of-n of p": BestOfNSampler(ALPHA, 1.0, max_tokens=2, n=2),
    "smc": PowerSMC(ALPHA, max_tokens=2, particles=2, ramp=2, ess=1.0),
}


@pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
def test_answers_weighted_by_their_log_weight_are_an_unbiased_sample_of_the_power_law(sampler):
    found: dict = {}
    for (tally, choice), probability in outcomes(lambda dice: end_of(sampler, TOY, PROMPT, dice)):
        assert tally.log_z == choice.log_z
        found[tally.state.tokens] = found.get(tally.state.tokens, 0.0) + probability * math.exp(tally.log_z)
    wanted = {x: math.exp(ALPHA * log_p) for x, log_p in answers(TOY, PROMPT, 2)}
    assert found.keys() == wanted.keys()
    assert max(abs(found[x] - wanted[x]) for x in wanted) < 1e-12
