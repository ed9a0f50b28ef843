"""A token of a long answer costs no more of our work than one of a short answer: what is copied is counted, not timed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from localpower import model as contexts
from localpower.chance import StreamDice
from localpower.completion import Completion, Rules, extend
from localpower.engine.sequences import ResidentSequence, Start, assign
from localpower.model import Growing, begins_with, common_prefix, context_of, distinct, head_of
from localpower.samplers.base import SLICE, grow
from localpower.text.stops import ends
from localpower.text.thinking import Thought
from localpower.tools.exchange import Exchange
from localpower.tools.plain import Plain
from tests.tools.traces import PROMPT, Counter, Frame, Spelling

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
    assert head_of(early, len(plain) // 2) == plain[: len(plain) // 2]
    late = Growing(text, len(plain))
    assert tuple(late) == late[:] == tuple(more)
    assert late[::-1] == tuple(more[::-1])
    assert begins_with(late, early) is (tuple(more[: len(plain)]) == plain)
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


@pytest.fixture
def copied(monkeypatch):
    """How many tokens of a text were copied each time that somebody was asked with it, or read of it."""
    found = []

    class Counted(Growing):
        __slots__ = ()

        def __getitem__(self, index):
            item = super().__getitem__(index)
            found.append(len(item) if isinstance(index, slice) else 0)
            return item

    def counted(reader, text, first=0):
        context = context_of(reader, text, first)
        found.append(0 if isinstance(context, Growing) else len(context))
        return context

    monkeypatch.setattr(contexts, "Growing", Counted)
    for user in ("completion", "drafts", "samplers.population"):
        monkeypatch.setattr(f"localpower.{user}.context_of", counted)
    return found


class Level:
    """Every token is as likely as any other, after whatever stands before it; nothing ends."""

    grows, n_vocab, eos = True, 3, frozenset()

    def logits(self, wanted):
        return [np.zeros(self.n_vocab, np.float32) for _ in wanted]


def later(engine, copied, rules, temperature=1.0):
    """Tokens copied for the last 32 of 332 tokens beyond those copied for the one after 300."""
    state = extend(StreamDice(1), engine, (0, 1, 2), Completion(), 300, temperature=temperature, rules=rules)
    sums = []
    for until in (301, 332):
        copied.clear()
        found = extend(StreamDice(2), engine, (0, 1, 2), state, until, temperature=temperature, rules=rules)
        assert len(found) == until
        sums.append(sum(copied))
    return sums[1] - sums[0]


@pytest.mark.parametrize("name", ["tiny", "tiny_window", "tiny_hybrid", "tiny_recurrent"])
def test_a_drawn_token_copies_none_of_the_answer_before_it(name, request, copied):
    loaded = request.getfixturevalue(name)
    engine = loaded.engine((0, 1, 2), 400, 1, lambda: None, chains=1)
    engine.eos = frozenset()
    try:
        rules = Rules(ended=ends([b"zzzz"], loaded.piece, loaded.control_token))
        assert later(engine, copied, rules) <= 31 * 64
    finally:
        engine.close()


@pytest.mark.parametrize("most", [20, 1000])
def test_a_budget_for_thoughts_is_asked_without_a_copy_of_the_answer_while_it_is_open_and_after(most, copied):
    def piece(token):
        return b"abc"[token : token + 1]

    limit = Thought(("<think>", "</think>"), True, piece).limited(most, (0, 1, 0))
    rules = Rules(ended=ends([b"zzzz"], piece, lambda _: None), given=limit)
    assert later(Level(), copied, rules) <= 31 * 64


def test_a_trace_is_asked_without_a_copy_of_its_turn_until_a_call_may_end(copied):
    read = []

    def text(turn):
        read.append(len(turn))
        return "".join("ab\n"[token] for token in turn)

    exchange = Exchange(Counter(), Plain(), Frame(), Spelling(text, lambda before, pieces: (0,)), seed=0)
    read.clear()
    assert later(Level(), copied, Rules(turns=exchange)) <= 31 * 64
    assert max(read) == 1, "no line begins with Call:"


@given(
    st.lists(
        st.sampled_from(["Call:", "Ca", "ll: f 1", "\n", "x\n", "<think>", "</think>", "y\nCall: g\n", " "])
    )
)
def test_a_turn_is_over_where_its_whole_text_says_so(words):
    """As far as the trace goes: after the first such token nothing of the turn follows."""

    def text(turn):
        return "".join(words[token] for token in turn)

    exchange = Exchange(Counter(), Plain(), Frame(), Spelling(text, lambda before, pieces: (0,)), seed=0)
    for opening in ("", "<think>", "Call: ", "so\n"):
        exchange.opening = opening
        for n in range(1, len(words) + 1):
            over = Plain().over(opening + "".join(words[:n]))
            assert (exchange.after(tuple(range(n)), 0, end=False) != "on") is over
            if over:
                break


def test_a_piece_of_an_answer_is_told_without_the_numbers_before_it(monkeypatch):
    written = []
    monkeypatch.setattr(
        "localpower.completion.frozen",
        lambda values, kind: written.append(len(values)) or np.array(values, kind),
    )
    state = extend(StreamDice(1), Level(), PROMPT, Completion(), 100, temperature=1.0)
    events = grow(StreamDice(2), Level(), PROMPT, state, 132, temperature=1.0, rules=Rules(), stage=0)
    written.clear()
    told = [next(events) for _ in range(32 // SLICE)]
    assert max(written) <= SLICE
    assert [len(event.suffix) for event in told] == [SLICE] * len(told)


@given(st.lists(tokens.map(tuple), min_size=1, max_size=3, unique=True), st.integers(0, 2))
def test_contexts_that_go_on_are_told_by_their_ends_and_get_what_the_whole_search_gives(texts, more):
    """Every sequence has read another text; a context of one token more goes on where it was."""
    sequences = [ResidentSequence(text) for text in texts]
    found = assign(sequences, [(*text, more) for text in texts if text], ())
    assert found == [Start(i, len(text)) for i, text in enumerate(texts) if text]
