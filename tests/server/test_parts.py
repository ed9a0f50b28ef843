"""What was sent of an answer is never taken back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localpower.server.parts import Flow, Parts, held_back, parts
from localpower.text.thinking import Thought

MARKS = ("<think>", "</think>")
WORDS = (
    "<think>",
    "</think>",
    "<think",
    ">",
    "</thi",
    "nk>",
    "\n",
    "\n\n",
    " a",
    "b",
    "EN",
    "D",
    "E",
    "think",
)
PIECES = [*(word.encode() for word in WORDS), b"\xc3", b"\xa9"]  # the last two are one letter


def piece(token):
    return PIECES[token]


def tokens(*words):
    return tuple(PIECES.index(word if isinstance(word, bytes) else word.encode()) for word in words)


SAMPLES = [
    (tokens("<think>", "\n", " a", "b", "\n", "</think>", "\n\n", " a", "b"), False, Parts("ab", " ab")),
    (tokens(" a", "b", "</thi", "nk>", "\n", "b"), True, Parts("ab", "b")),
    (tokens("<think>", " a", "b"), False, Parts("ab", "")),
    (tokens(" a", "b", " a", "E", "b"), False, Parts("", " ab aEb")),
    (tokens(" a", "EN", "b", b"\xc3", b"\xa9", "EN", "D"), False, Parts("", " aENbé")),
    (tokens(*["b"] * 9, "<think>", "b"), False, Parts("", "b" * 9 + "<think>b")),
]


@pytest.mark.parametrize(("answer", "opened", "whole"), SAMPLES)
def test_every_beginning_of_an_answer_gives_beginnings_of_its_parts(answer, opened, whole):
    thought = Thought(MARKS, opened, piece)
    stops = [b"END"]
    assert parts(answer, piece, stops, thought, over=True) == whole
    for n in range(len(answer) + 1):
        so_far = parts(answer[:n], piece, stops, thought, over=False)
        assert whole.thought.startswith(so_far.thought), n
        assert whole.said.startswith(so_far.said), n


def test_a_model_without_thoughts_says_everything():
    assert parts(tokens("<think>", "b"), piece, [], None, over=False) == Parts("", "<think>b")


@pytest.mark.parametrize(
    ("text", "kept"), [("aEN", "a"), ("aE", "a"), ("aEND", "aEND"), ("EbN", "EbN"), ("", "")]
)
def test_an_end_that_may_become_a_mark_is_held_back(text, kept):
    assert held_back(text, ["END"]) == kept


@given(
    st.lists(st.sampled_from(range(len(PIECES))), max_size=24),
    st.lists(st.integers(1, 5), min_size=24, max_size=24),
    st.sampled_from([None, False, True]),
)
def test_pieces_of_a_growing_answer_join_to_the_parts_of_all_of_it(answer, steps, opened):
    thought = None if opened is None else Thought(MARKS, opened, piece)
    flow, told, n = Flow(piece, [b"END"], thought), Parts("", ""), 0
    for step in steps:
        n = min(n + step, len(answer))
        if b"END" in b"".join(map(piece, answer[:n])):
            break  # it would be over
        new = flow.more(tuple(answer[:n]))
        told = Parts(told.thought + new.thought, told.said + new.said)
        assert told == parts(tuple(answer[:n]), piece, [b"END"], thought, over=False)


def test_the_pieces_of_an_answer_are_not_spelled_anew_for_each_token_after_them():
    spelled = []
    flow = Flow(lambda token: spelled.append(token) or b"b", [b"END"], None)
    for n in range(1, 65):
        flow.more((0,) * n)
    assert len(spelled) <= 4 * 64, "the last token, and those that a stop of three letters may lie in"
