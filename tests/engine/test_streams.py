"""A stream for each sequence: a prompt is read in batches, an answer row by row, and neither is taken for the other."""

from __future__ import annotations

import numpy as np
import pytest

from localpower.engine.streams import StreamModel

PROMPTS = ((0, 1, 2, 1), (0, 1, 2, 1, 0, 0, 2), (2,), (1, 2))
TAILS = ((0, 0, 2, 1, 1), (1, 0, 2), (0, 1, 2, 1, 2, 2), ())


@pytest.fixture(params=["tiny", "tiny16"])
def engines(request):
    """Two of a model whose lone rows have other bits than two."""
    loaded = request.getfixturevalue(request.param)
    pair = [loaded.engine(PROMPTS[1], 24, 4, lambda: None) for _ in range(2)]
    assert all(isinstance(engine, StreamModel) for engine in pair)
    yield pair
    for engine in pair:
        engine.close()


def shapes_of(engine, monkeypatch):
    """Rows of every decode from here on: (of the caller, wanted)."""
    seen, decode = [], engine.context.decode

    def spy(rows, at_least=0):
        seen.append((len(rows), sum(row.wanted for row in rows)))
        return decode(rows, at_least)

    monkeypatch.setattr(engine.context, "decode", spy)
    return seen


def test_answers_to_different_prompts_have_the_bits_they_have_alone(engines):
    together, alone = engines
    rng = np.random.default_rng(1)
    for _ in range(60):
        picks = rng.integers(0, len(PROMPTS), rng.integers(1, 4))
        contexts = [PROMPTS[i] + TAILS[i][: rng.integers(0, 7)] for i in picks]
        together.pin(contexts[0], "owner", len(PROMPTS[picks[0]]))
        rows = [row.copy() for row in together.logits(contexts, [len(PROMPTS[i]) for i in picks])]
        for i, context, row in zip(picks, contexts, rows, strict=True):
            alone.reset()
            assert np.array_equal(row, alone.logits([context], [len(PROMPTS[i])])[0]), context


@pytest.mark.model
def test_the_same_tokens_as_a_prompt_and_as_an_answer_are_two_things(default_model):
    tokens = tuple(range(1000, 1030))
    engine = default_model.engine(tokens, 8, 2, lambda: None)
    read, drawn = (engine.logits([tokens], [n])[0].copy() for n in (len(tokens), 1))
    assert not np.array_equal(read, drawn), "else a mistake between the two would pass every test here"
    again = [row.copy() for row in engine.logits([tokens, tokens], [len(tokens), 1])]
    assert np.array_equal(again[0], read)
    assert np.array_equal(again[1], drawn)


def test_a_prompt_is_read_at_once_for_all_who_begin_with_it(engines, monkeypatch):
    engine, _ = engines
    seen = shapes_of(engine, monkeypatch)
    prompt = PROMPTS[1]
    engine.prompt_length = len(prompt)
    engine.logits([(*prompt, 0), (*prompt, 1), (*prompt, 2)])
    assert seen[0] == (len(prompt) - 1, 0)
    assert [wanted for _, wanted in seen[1:]] == [0, 3], "its last token, then the first of each answer"


def test_rejected_proposals_cost_their_own_tokens_alone(engines):
    engine, _ = engines
    state = PROMPTS[0] + (0, 2, 1, 1, 0, 2, 2, 1, 0, 0)
    engine.prompt_length = len(PROMPTS[0])
    engine.logits([state])
    before = engine.counters.answer_tokens
    for cut in (12, 7, 9, 5):
        engine.pin(state)
        engine.logits([state[:cut]])
        engine.logits([(*state[:cut], 2)])
    engine.logits([state])
    assert engine.counters.answer_tokens - before <= 4 * 2 + 1 + 4  # a token or two may be evaluated again


@pytest.mark.parametrize(("chains", "again"), [(4, 1), (7, len(PROMPTS[1]))])
def test_a_larger_engine_goes_on_from_a_saved_prompt_where_it_has_as_many_streams(tiny, chains, again):
    one = tiny.engine(PROMPTS[1], 24, 4, lambda: None)
    one.logits([PROMPTS[1], (*PROMPTS[1], 1)])
    larger = tiny.engine(PROMPTS[1], 400, chains, lambda: None)
    larger.take_over(one, PROMPTS[1])
    before = larger.counters.prefill_tokens
    row = larger.logits([PROMPTS[1]])[0].copy()
    assert larger.counters.prefill_tokens - before == again
    assert np.array_equal(row, one.logits([PROMPTS[1]])[0])


class Stopped(Exception):
    """In place of Ctrl-C."""


@pytest.mark.parametrize("when", range(1, 10))
def test_what_was_stopped_in_the_middle_leaves_no_copy_behind_that_spoils_a_later_reading(tiny, when):
    left = [10**9]

    def check():
        left[0] -= 1
        if left[0] < 0:
            raise Stopped

    engine = tiny.engine(PROMPTS[1], 24, 1, check)
    tokens = (0, 2, 1, 1, 0, 2, 2, 1)
    other = (2, 2, 0, 1, 1, 0, 2)
    expected = engine.score(other, tokens)  # the opening is kept, to be put back
    engine.logits([PROMPTS[1] + tokens])
    engine.pin(PROMPTS[1] + tokens)
    proposals = [PROMPTS[1] + tokens[:cut] + (2, 0, 1, 2) for cut in (1, 6, 3)]
    left[0] = when
    with pytest.raises(Stopped):
        list(map(engine.logits, ([proposal] for proposal in proposals)))
    left[0] = 10**9
    assert np.array_equal(engine.score(other, tokens), expected)
    row = engine.logits([PROMPTS[1] + tokens])[0].copy()
    engine.reset()
    assert np.array_equal(row, engine.logits([PROMPTS[1] + tokens])[0])


def test_a_pin_of_a_conversation_takes_no_room_from_the_chain_that_runs(tiny):
    evaluated = []
    for pinned in (False, True):
        engine = tiny.engine(PROMPTS[1], 24, 1, lambda: None)
        earlier, state = PROMPTS[1] + (1, 1, 0, 2, 1, 0), PROMPTS[1] + (0, 2, 1, 1, 0, 2, 2, 1, 0, 0)
        engine.logits([earlier])
        if pinned:
            engine.pin(earlier, "conversation")
        engine.logits([state])
        for cut in (12, 8, 15, 9):
            engine.pin(state, 0, len(PROMPTS[1]))
            engine.logits([(*state[:cut], 2, 2)])
        evaluated.append(engine.counters.answer_tokens)
    assert evaluated[0] == evaluated[1]


@pytest.mark.model
def test_the_check_of_streams_tries_batches_as_wide_as_llama_cpps_kernels_differ(default_model):
    assert default_model.verdict.settings.streams
    assert {"9 answers side by side", "a prompt read 9 tokens at a time"} <= set(default_model.verdict.shapes)
