"""One draw, token by token: every answer's probability is the product of its tokens' tempered ones."""

from __future__ import annotations

import numpy as np
import pytest

from localpower.numerics import log_softmax
from localpower.samplers import Ancestral
from localpower.testing import law
from localpower.toy import ToyModel, answers
from tests.samplers.small import PROMPT, end_of

HORIZON = 3


@pytest.mark.parametrize("temperature", [1.0, 0.5, 0.25])
def test_an_answer_is_drawn_with_the_product_of_its_tokens_tempered_probabilities(temperature):
    toy = ToyModel(words=("<end>", "a", "b", "c"), seed=2, zero_every=3)

    def draw(dice):
        return end_of(Ancestral("low-temp", temperature, HORIZON), toy, PROMPT, dice)[0].state.tokens

    def chance(tokens):
        rows = toy.rows(PROMPT, tokens)
        return np.prod(
            [np.exp(log_softmax(row / temperature)[token]) for row, token in zip(rows, tokens, strict=True)]
        )

    assert law(draw) == pytest.approx({tokens: chance(tokens) for tokens, _ in answers(toy, PROMPT, HORIZON)})
