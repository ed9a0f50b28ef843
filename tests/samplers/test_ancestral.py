"""One draw, token by token: every answer's probability is the product of its tokens' tempered ones."""

from __future__ import annotations

import numpy as np
import pytest

from localpower.numerics import log_softmax
from localpower.runs.tally import Tally
from localpower.samplers import Ancestral
from localpower.testing import law
from localpower.toy import ToyModel, answers

PROMPT, HORIZON = (1, 2), 3


@pytest.mark.parametrize("temperature", [1.0, 0.5, 0.25])
def test_an_answer_is_drawn_with_the_product_of_its_tokens_tempered_probabilities(temperature):
    toy = ToyModel(words=("<end>", "a", "b", "c"), seed=2, zero_every=3)

    def draw(dice):
        tally = Tally()
        for event in Ancestral("low-temp", temperature, HORIZON).run(toy, PROMPT, dice):
            tally = tally.add(event)
        return tally.state.tokens

    def chance(tokens):
        rows = toy.rows(PROMPT, tokens)
        return np.prod(
            [np.exp(log_softmax(row / temperature)[token]) for row, token in zip(rows, tokens, strict=True)]
        )

    assert law(draw) == pytest.approx({tokens: chance(tokens) for tokens, _ in answers(toy, PROMPT, HORIZON)})
