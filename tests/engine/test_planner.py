"""The planner under attack: random chains of wanted contexts against a model of llama.cpp's allocator."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localpower.engine.planner import plan
from localpower.engine.slots import Compact, common_prefix, empty
from localpower.errors import EngineError
from tests.engine.fake_cache import FakeCache

PROMPT = (7, 8, 9)


def contexts():
    """Answers over two letters, so that prefixes are often shared."""
    return st.lists(st.integers(0, 1), max_size=14).map(lambda tail: PROMPT + tuple(tail))


def rounds():
    """Calls of up to three contexts, each with up to two pinned contexts."""
    one = st.tuples(st.lists(contexts(), min_size=1, max_size=3), st.lists(contexts(), max_size=2))
    return st.lists(one, min_size=1, max_size=12)


@settings(max_examples=400, deadline=None)
@given(rounds(), st.sampled_from([6, 8, 12]), st.sampled_from([60, 80, 200]))
def test_every_wanted_context_is_resident_in_ascending_cells_and_nothing_resident_is_evaluated_again(
    calls, n_slots, capacity
):
    state, cache = empty(n_slots), FakeCache(capacity + 2)
    for wanted, pins in calls:
        reusable = [
            max(min(common_prefix(slot.tokens, context), len(context) - 1) for slot in state.slots)
            for context in dict.fromkeys(wanted)
        ]
        pinned = [max(common_prefix(slot.tokens, pin) for slot in state.slots) for pin in pins]
        made = plan(state, wanted, pins, capacity)
        before = cache.writes
        cache.execute(made, batch=5)
        state = made.after
        slots = [decode.slot for decode in made.decodes]
        assert len(set(slots)) == len(slots), "no slot is written twice"
        assert cache.writes - before == sum(map(len, dict.fromkeys(wanted))) - sum(reusable)
        for pin, length in zip(pins, pinned, strict=True):
            kept = max(common_prefix(slot.tokens, pin) for slot in state.slots)
            assert kept >= length, "a pinned prefix was dropped"
        for context, row in zip(wanted, made.rows, strict=True):
            decode = made.decodes[row]
            held = cache.sequence(decode.slot)
            assert tuple(token for token, _ in held) == context
            cells = [cell for _, cell in held]
            assert cells == sorted(cells), "a token lies below its own prefix"
            assert tuple(cells) == state.slots[decode.slot].cells
        for i, slot in enumerate(state.slots):
            held = cache.sequence(i)[: len(slot.tokens)]
            assert tuple(token for token, _ in held) == slot.tokens, "what it says is what it holds"
        free = [i for i, cell in enumerate(cache.cells) if cell is None]
        assert not free or min(free) >= state.top, "no hole below the top"


def drive(n_slots, capacity, calls):
    state, decoded = empty(n_slots), []
    for wanted, pins in calls:
        made = plan(state, wanted, pins, capacity)
        state = made.after
        decoded.append(sum(len(decode.tokens) for decode in made.decodes))
    return state, decoded


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
    assert any(slot.tokens == state for slot in final.slots)


def test_equal_contexts_share_a_row():
    made = plan(empty(6), [(1, 2), (1, 2), (1, 3)], [], 20)
    assert made.rows == (0, 0, 1)
    assert len(made.decodes) == 2


def test_a_full_cache_is_compacted_and_what_is_pinned_or_continued_stays():
    state, proposal = (1,) * 20, (1,) * 10 + (2,) * 4
    resident, _ = drive(8, 30, [([state], []), ([proposal], [state]), ([(3,) * 5], [state, proposal])])
    made = plan(resident, [(*proposal, 2, 2)], [state], 30)
    (first, *_) = made.moves
    assert isinstance(first, Compact)
    assert [decode.tokens for decode in made.decodes] == [(2, 2)]
    assert [slot.tokens for slot in made.after.slots if slot.tokens] == [state, (*proposal, 2, 2)]
    assert made.after.top == 20 + 6


def test_what_can_never_fit_is_refused_before_any_c_call():
    with pytest.raises(EngineError, match="do not fit 10 cells"):
        plan(empty(6), [(1,) * 11], [], 10)
    with pytest.raises(EngineError, match="need 6 slots, not 4"):
        plan(empty(4), [(1,), (2,), (3,)], [], 10)


@given(contexts(), contexts())
def test_the_common_prefix_is_the_longest(a, b):
    n = common_prefix(a, b)
    assert a[:n] == b[:n]
    assert n == min(len(a), len(b)) or a[n] != b[n]
