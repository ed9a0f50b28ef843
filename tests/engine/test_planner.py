"""The planner under attack: random chains of wanted contexts against a model of llama.cpp's allocator."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localpower.engine.planner import Planner
from localpower.engine.slots import Compact
from localpower.errors import EngineError
from localpower.model import common_prefix
from tests.engine.fake_cache import FakeCache

PROMPT = (7, 8, 9)


def contexts():
    """Answers over two letters, so that prefixes are often shared."""
    return st.lists(st.integers(0, 1), max_size=14).map(lambda tail: PROMPT + tuple(tail))


def rounds():
    """Calls of up to three contexts, each with up to two pinned contexts."""
    one = st.tuples(st.lists(contexts(), min_size=1, max_size=3), st.lists(contexts(), max_size=2))
    return st.lists(one, min_size=1, max_size=12)


@settings(max_examples=200, deadline=None)
@given(rounds(), st.sampled_from([6, 8, 12]), st.sampled_from([60, 80, 200]), st.sampled_from([3, 100]))
def test_every_wanted_context_is_resident_in_ascending_cells_and_nothing_resident_is_evaluated_again(
    calls, n_slots, capacity, most
):
    planner, cache = Planner(n_slots, capacity), FakeCache(capacity + 2)
    for wanted, pins in calls:
        held = [tokens for tokens in planner.ledger.tokens]
        missing = {
            context[: i + 1]
            for context in wanted
            for i in range(len(context))
            if i + 1 == len(context) or not any(tokens[: i + 1] == context[: i + 1] for tokens in held)
        }
        pinned = [max(common_prefix(tokens, pin) for tokens in held) for pin in pins]
        before = cache.writes
        while (made := planner.plan(wanted, pins, most)).partial:
            cache.execute(made, batch=5)
            check(planner.ledger, cache)
        cache.execute(made, batch=5)
        check(planner.ledger, cache)
        slots = [decode.slot for decode in made.decodes]
        assert len(set(slots)) == len(slots), "no slot is written twice"
        assert cache.writes - before <= sum(len(c) for c in dict.fromkeys(wanted))
        assert cache.writes - before >= len(missing)
        if len(set(wanted)) == 1:
            assert cache.writes - before == len(missing)
        for pin, length in zip(pins, pinned, strict=True):
            kept = max(common_prefix(tokens, pin) for tokens in planner.ledger.tokens)
            assert kept >= length, "a pinned prefix was dropped"
        outputs = [(decode, i) for decode in made.decodes for i in decode.wanted]
        for context, row in zip(wanted, made.rows, strict=True):
            decode, i = outputs[row]
            read = cache.sequence(decode.slot)[: decode.start + i + 1]
            assert tuple(token for token, _ in read) == context


def check(ledger, cache):
    for i, tokens in enumerate(ledger.tokens):
        held = cache.sequence(i)
        cells = [cell for _, cell in held]
        assert cells == sorted(cells), "a token lies below its own prefix"
        assert tuple(token for token, _ in held[: len(tokens)]) == tokens, "what it says is what it holds"
        assert cells[: len(tokens)] == ledger.cells(i).tolist()
        assert ledger.is_open(i) == (len(held) == len(tokens))
    free = [i for i, cell in enumerate(cache.cells) if cell is None]
    assert not free or min(free) >= ledger.top, "no hole below the top"


def drive(n_slots, capacity, calls):
    planner, decoded = Planner(n_slots, capacity), []
    for wanted, pins in calls:
        made = planner.plan(wanted, pins)
        decoded.append(sum(len(decode.tokens) for decode in made.decodes))
    return planner, decoded


def test_one_more_token_costs_one_row():
    long = tuple(range(40))
    _, decoded = drive(4, 100, [([long[:n]], []) for n in range(30, 41)])
    assert decoded == [30] + [1] * 10


def test_a_rejected_proposal_costs_nothing_but_its_own_tokens():
    state = (1,) * 20
    proposals = [(1,) * cut + (2,) * n for cut in (5, 9, 13) for n in (1, 2, 3)]
    _, decoded = drive(8, 200, [([state], []), *(([p], [state]) for p in proposals)])
    assert decoded == [20, 1, 1, 1, 1, 1, 1, 1, 1, 1]


def test_a_pinned_state_survives_a_hundred_rejected_proposals_in_little_more_than_its_own_cells():
    state = (1,) * 20
    calls = [([state], [state])]
    for i in range(100):
        calls += [([state[:5] + tuple(10 * i + j for j in range(n))], [state]) for n in range(1, 16)]
    final, decoded = drive(8, 60, calls)
    assert decoded[1:] == [1] * 1500
    assert state in final.ledger.tokens


def test_equal_contexts_share_a_row():
    made = Planner(6, 20).plan([(1, 2), (1, 2), (1, 3)])
    assert made.rows == (0, 0, 1)
    assert len(made.decodes) == 2


def test_a_context_that_continues_another_is_decoded_with_it():
    made = Planner(6, 40).plan([(1, 2, 3, 4), (1, 2), (1, 2, 3), (5,)])
    assert [(decode.tokens, decode.wanted) for decode in made.decodes] == [
        ((1, 2, 3, 4), (1, 2, 3)),
        ((5,), (0,)),
    ]
    assert made.rows == (2, 0, 1, 3)


def test_rows_along_a_resident_text_share_one_slot():
    text = (*PROMPT, 0, 1, 1, 0, 1)
    planner, _ = drive(8, 200, [([text], [])])
    (decode,) = planner.plan([text[:n] for n in range(5, 9)]).decodes
    assert (decode.tokens, decode.wanted) == (text[4:], (0, 1, 2, 3)), (
        "the few tokens whose logits are wanted"
    )


def test_where_bits_could_change_nothing_resident_is_decoded_again():
    text = (*PROMPT, 0, 1, 1, 0, 1)
    planner = Planner(8, 200, again=0)
    planner.plan([text])
    plan = planner.plan([text[:-1], text])
    assert [len(decode.tokens) for decode in plan.decodes] == [1, 1]


def test_a_full_cache_is_compacted_and_what_is_pinned_or_continued_stays():
    three, state, proposal = (3,) * 5, (1,) * 20, (1,) * 10 + (2,) * 4
    planner, _ = drive(8, 30, [([three], []), ([state], [three]), ([proposal], [state, three])])
    made = planner.plan([(*proposal, 2, 2)], [state])
    (first, *_) = made.moves
    assert isinstance(first, Compact)
    assert [decode.tokens for decode in made.decodes] == [(2, 2)]
    assert [tokens for tokens in planner.ledger.tokens if tokens] == [state, (*proposal, 2, 2)]
    assert planner.ledger.top == 20 + 6


def test_what_can_never_fit_is_refused_before_any_c_call():
    with pytest.raises(EngineError, match="do not fit 10 cells"):
        Planner(6, 10).plan([(1,) * 11])
    with pytest.raises(EngineError, match="need 6 slots, not 4"):
        Planner(4, 10).plan([(1,), (2,), (3,)])


@given(contexts(), contexts())
def test_the_common_prefix_is_the_longest(a, b):
    n = common_prefix(a, b)
    assert a[:n] == b[:n]
    assert n == min(len(a), len(b)) or a[n] != b[n]
