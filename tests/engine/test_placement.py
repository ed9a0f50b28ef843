"""Which sequence serves which context: simulated without llama.cpp, for any calls."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from localpower.engine.placement import Demand, Held, opening_of, place, reusable

TOKENS = st.lists(st.integers(0, 1), min_size=1, max_size=9).map(tuple)
N = 6


def wanted_of(context, prompt_length):
    return Demand(context, opening_of(context, prompt_length))


CALLS = st.lists(
    st.tuples(
        st.lists(st.builds(wanted_of, TOKENS, st.integers(0, 6)), min_size=1, max_size=3, unique=True),
        st.lists(st.builds(wanted_of, TOKENS, st.integers(0, 6)), max_size=3),
    ),
    max_size=12,
)


def apply(held, wanted, placed, tick):
    """What the sequences hold after the moves and after the contexts have been evaluated on them."""
    held = list(held)
    for source, target in placed.copies:
        held[target] = replace(held[source], used=tick)
    for sequence, length, w in zip(placed.sequences, placed.lengths, wanted, strict=True):
        before = held[sequence]
        assert before.tokens[:length] == w.context[:length]
        assert min(before.read, length) == min(w.opening, length), "evaluated in the right way"
        held[sequence] = Held(w.context, w.opening, tick)
    return held


@settings(deadline=None)
@given(CALLS)
def test_what_is_reused_was_evaluated_in_the_right_way_by_sequences_without_a_gap(calls):
    held = [Held()] * N
    for tick, (wanted, pins) in enumerate(calls, 1):
        placed = place(held, wanted, pins)
        assert sorted(placed.sequences) == list(range(len(wanted)))
        assert all(length < len(w.context) for length, w in zip(placed.lengths, wanted, strict=True))
        assert all(w.opening - n != 1 for n, w in zip(placed.lengths, wanted, strict=True)), (
            "no lone token is read"
        )
        held = apply(held, wanted, placed, tick)


@settings(deadline=None)
@given(CALLS)
def test_what_is_pinned_stays_where_there_is_room_for_it(calls):
    held = [Held()] * (N + 1)  # three that work, three that are copied from, and one more
    for tick, (wanted, _) in enumerate(calls, 1):
        pin = Demand((*held[0].tokens, 2), held[0].read) if held[0].tokens else None
        before = max((reusable(h, pin) for h in held), default=0) if pin else 0
        held = apply(held, wanted, place(held, wanted, [pin] if pin else []), tick)
        if before > 2:
            assert max(reusable(h, pin) for h in held) == before


def test_a_token_more_of_each_moves_nothing():
    held = [Held((0, 1, 2), 2), Held((0, 1, 1, 1), 2), Held()]
    placed = place(held, [Demand((0, 1, 2, 5), 2), Demand((0, 1, 1, 1, 5), 2)], [])
    assert placed.copies == ()
    assert placed.sequences == (0, 1)
    assert placed.lengths == (3, 4)


def test_a_proposal_is_written_on_a_copy_of_a_state_that_is_pinned():
    state = tuple(range(20))
    held = [Held(state, 5), Held()]
    placed = place(held, [Demand((*state[:9], 99), 5)], [Demand(state, 5)])
    assert placed.copies == ((0, 1),)
    assert placed.lengths == (9,)


def test_tokens_that_a_prompt_brings_are_not_taken_from_an_answer():
    answer = Held(tuple(range(10)), 4)  # the first four as a prompt, the others one by one
    assert reusable(answer, Demand(tuple(range(12)), 11)) == 4
    assert reusable(answer, Demand(tuple(range(12)), 4)) == 10
    assert reusable(answer, Demand(tuple(range(12)), 5)) == 3, "one token alone is not read as a prompt's"
    assert reusable(answer, Demand(tuple(range(12)), 2)) == 2
