"""A token of a long answer costs no more of our work than one of a short answer: what is copied is counted, not timed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localpower import model as contexts
from localpower.chance import StreamDice
from localpower.completion import Completion, Rules, extend
from localpower.model import Growing, begins_with, common_prefix, distinct
from localpower.text.stops import ends

tokens = st.lists(st.integers(0, 2), max_size=12)


@given(tokens, st.lists(st.integers(0, 2), max_size=5))
def test_a_growing_context_is_the_tuple_of_what_its_list_held(start, more):
    text = list(start)
    early, plain = Growing(text), tuple(start)
    text += more
    assert early == plain
    assert plain == early
    assert hash(early) == hash(plain)
    assert len(early) == len(plain)
    assert tuple(early) == plain
    for cut in (
        slice(None),
        slice(2, None),
        slice(None, -1),
        slice(-3, None),
        slice(None, None, -1),
        slice(1, 9, 2),
    ):
        assert early[cut] == plain[cut]
        assert type(early[cut]) is tuple
    assert (*early, 7) == (*plain, 7)
    assert begins_with(Growing(text), early)
    assert common_prefix(Growing(text), early) == len(plain)


@given(tokens, tokens)
def test_prefixes_of_two_texts_are_found_whatever_holds_them(a, b):
    shared = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    for x in (tuple(a), Growing(a)):
        for y in (tuple(b), Growing(b)):
            assert common_prefix(x, y) == shared
            assert begins_with(x, y) is (tuple(a)[: len(b)] == tuple(b))
            assert (x == y) is (a == b)


@given(st.lists(tokens.map(tuple), max_size=8))
def test_distinct_contexts_keep_their_order(wanted):
    found, which = distinct(wanted)
    assert found == list(dict.fromkeys(wanted))
    assert [found[i] for i in which] == wanted


def test_a_text_ends_no_list_that_is_out_of_its_range():
    with pytest.raises(IndexError):
        Growing([1, 2])[2]


@pytest.mark.parametrize("name", ["tiny", "tiny_window"])
def test_a_drawn_token_copies_none_of_the_answer_before_it(name, request, monkeypatch):
    loaded = request.getfixturevalue(name)
    engine = loaded.engine((0, 1, 2), 400, 1, lambda: None, chains=1)
    engine.eos = frozenset()
    copied = []

    class Counted(Growing):
        __slots__ = ()

        def __getitem__(self, index):
            found = super().__getitem__(index)
            copied.append(len(found) if isinstance(index, slice) else 0)
            return found

    monkeypatch.setattr(contexts, "Growing", Counted)
    rules = Rules(ended=ends([b"zzzz"], loaded.piece, loaded.control_token))
    prompt, sums = (0, 1, 2), []
    try:
        state = extend(StreamDice(1), engine, prompt, Completion(), 300, temperature=1.0, rules=rules)
        for until in (301, 332):
            copied.clear()
            found = extend(StreamDice(2), engine, prompt, state, until, temperature=1.0, rules=rules)
            sums.append(sum(copied))
            assert len(found) == until
        assert sums[1] <= sums[0] + 31 * 32
    finally:
        engine.close()
