"""`score`: the log p that an answer with these tokens has, whoever else is in the batch."""

from __future__ import annotations

import math

import pytest

import localpower as lp
from localpower.api.model import Model
from localpower.api.score import Score
from localpower.text.conversation import Conversation

PROMPTS = ["ab", "abc", "c", "ab"]


@pytest.fixture(params=["f32", "f32 shared", "recurrent"])
def model(request, tiny, tiny_shared, tiny_recurrent):
    found = Model({"f32": tiny, "f32 shared": tiny_shared, "recurrent": tiny_recurrent}[request.param])
    yield found
    found._drop()


def test_an_answer_scores_what_it_was_drawn_with_bit_for_bit(model):
    answers = [model.generate(p, lp.Base(), seed=i, max_tokens=9) for i, p in enumerate(PROMPTS)]
    alone = [lp.score(model, [(p, a.tokens)])[0] for p, a in zip(PROMPTS, answers, strict=True)]
    together = lp.score(model, [(p, a.tokens) for p, a in zip(PROMPTS, answers, strict=True)], at_once=3)
    assert together == alone
    assert [each.log_p for each in together] == [a.log_p for a in answers]
    assert [each.tokens for each in together] == [a.tokens for a in answers]


def test_a_direct_evaluation_has_the_same_bits(model):
    pairs = [("ab", "cab"), ("ab", "c"), ("abcab", "a")]
    found = lp.score(model, pairs)
    for (prompt, text), each in zip(pairs, found, strict=True):
        tokens = model.loaded.prompt(Conversation.of(prompt), raw=True, arguments={})
        continuation = model.loaded.following(tokens, text)
        with model.use() as interrupts:
            engine = model.space(tokens, len(continuation), 1, interrupts, 1, 1)
            direct = engine.score(tokens, continuation)
        assert each.token_log_p == tuple(direct.tolist())
        assert each.tokens == continuation


def test_greedy_is_what_temperature_zero_draws(model):
    answer = model.generate("ab", lp.LowTemperature(temperature=0), seed=1, max_tokens=6)
    other = (*answer.tokens[:-1], (answer.tokens[-1] + 1) % 3)
    assert [each.greedy for each in lp.score(model, [("ab", answer.tokens), ("ab", other)])] == [True, False]


def test_sums_over_all_continuations_are_one(toy):
    each = lp.score(toy, [((1, 2), (token,)) for token in range(toy.loaded.toy.n_vocab)])
    assert sum(math.exp(one.log_p) for one in each) == pytest.approx(1, abs=1e-12)


def test_what_is_no_pair_is_refused_and_nothing_scores_nothing(toy):
    assert lp.score(toy, []) == []
    assert lp.score(toy, [("the cat", "")]) == [Score((), (), 0.0, True, 2)]
    for pairs, why in [
        (["ab"], "pair"),
        ([("", "a")], "empty"),
        ([((), "a")], "a prompt is a text"),
        ([("a", (-1,))], "token"),
        ([("a", (99,))], "no token 99"),
    ]:
        with pytest.raises(lp.UsageProblem, match=why):
            lp.score(toy, pairs)
