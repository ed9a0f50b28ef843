"""Thoughts on the screen: dim, folded under a line that counts them, told from the answer by tokens and marks."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from localpower.events import Extended
from localpower.text.thinking import Thought
from localpower.ui.body import Fold, body
from localpower.ui.screen import render
from tests.ui.test_view import board_after, stepped, suffix

WORDS = [
    b"<think>",
    b"</think>",
    b"first ",
    b"second ",
    b"third\n",
    b"fourth\n",
    b"\n\nyes ",
    b"no ",
    b"</thi",
    b"nk>so ",
]
THOUGHT = Thought(("<think>", "</think>"), False, WORDS.__getitem__)
ANSWER = (0, 4, 5, 4, 2, 3, 1, 6, 7)  # <think>third fourth third first second </think> yes no


def lines(board, *, width=60, height=20, **fold):
    console = Console(file=io.StringIO(), width=width, height=height)
    shown = body(board.chains[0], WORDS.__getitem__, Fold(THOUGHT, **fold), console)
    assert all(line.cell_len <= width or not line.plain.strip() for line in shown)
    return shown


def plain(board, **fold):
    return [line.plain.rstrip() for line in lines(board, **fold)]


def drawn(*tokens):
    return board_after(Extended(0, 16, 0, suffix(*tokens)))


def growing(board, *answer):
    return board.change(0, board.chains[0].asked(answer))


def styles(line):
    """The text of a line with its style, piece by piece."""
    return [(line.plain[a:b].strip(), str(style)) for a, b, style in line.spans if line.plain[a:b].strip()]


def test_a_thought_is_folded_to_its_last_lines_and_the_answer_stands_below():
    assert plain(drawn(*ANSWER)) == ["thought: 7 tokens", "fourth", "third", "first second", "yes no"]


def test_a_thought_that_is_wanted_whole_is_shown_whole():
    assert plain(drawn(*ANSWER), whole=True)[:3] == ["thought: 7 tokens", "third", "fourth"]


def test_a_budget_stands_beside_the_count_which_never_goes_beyond_it():
    assert plain(drawn(*ANSWER), most=9)[0] == "thought: 7 of 9 tokens"
    assert plain(drawn(*ANSWER), most=4)[0] == "thought: 4 of 4 tokens", (
        "words that were given are in the rest"
    )


def test_the_thought_is_dim_and_the_answer_is_not():
    shown = lines(drawn(*ANSWER))
    assert {style for line in shown[:-1] for _, style in styles(line)} == {"dim"}
    assert styles(shown[-1]) == []


@pytest.mark.parametrize(
    ("cut", "where", "mark"),
    [(5, 3, "first |second"), (7, 4, "|"), (8, 4, "yes |no"), (1, 0, "thought: 7 tokens |")],
)
def test_the_mark_of_what_was_rewritten_stands_in_the_thought_the_answer_or_where_it_is_hidden(
    cut, where, mark
):
    board = drawn(*ANSWER)
    board = board.change(0, board.chains[0].add(stepped(0, cut, ANSWER[cut:], accepted=True, divergence=cut)))
    shown = lines(board)
    assert shown[where].plain.rstrip() == mark
    assert "cyan" in styles(shown[-1])[-1][1]
    tinted = [text for line in shown for text, style in styles(line) if style == "dim cyan"]
    assert tinted == {5: ["second"], 1: ["fourth", "third", "first second"]}.get(cut, [])


def test_a_thought_that_is_being_drawn_is_counted_once():
    board = growing(board_after(), 0, 4, 5)
    assert plain(board)[-3:] == ["> thought: 3 tokens", "third", "fourth"]
    board = growing(drawn(0, 4, 5), 0, 4, 5, 4, 2)
    assert plain(board) == ["thought: 5 tokens", "third", "fourth", "> third", "first"]


def test_a_proposal_shows_its_own_thought_and_its_own_answer():
    board = growing(drawn(*ANSWER), 0, 4, 2, 1, 6)
    assert plain(board)[-3:] == ["> thought: 4 tokens", "first", "> yes"]
    board = growing(drawn(*ANSWER), *ANSWER[:7], 7, 7)
    assert plain(board)[-1] == "> no no"
    assert len([line for line in plain(board) if "thought" in line]) == 1


def test_a_mark_of_several_tokens_is_taken_away_and_what_follows_it_in_a_token_is_answer():
    assert plain(drawn(0, 4, 8, 9, 7)) == ["thought: 4 tokens", "third", "so no"]


def test_a_thought_that_the_prompt_opened_needs_no_mark():
    console = Console(file=io.StringIO(), width=60)
    fold = Fold(Thought(THOUGHT.marks, True, WORDS.__getitem__))
    shown = body(drawn(4, 1, 6).chains[0], WORDS.__getitem__, fold, console)
    assert [line.plain.rstrip() for line in shown] == ["thought: 2 tokens", "third", "yes"]


def test_without_thoughts_the_text_is_as_it_was_drawn():
    assert plain(drawn(4, 6)) == ["third", "", "", "yes"]


@pytest.mark.parametrize("width", [1, 5, 20, 200])
@pytest.mark.parametrize("most", [None, 200])
def test_no_line_of_a_thought_is_wider_than_the_terminal(width, most):
    board = growing(drawn(*ANSWER), 0, 4, 2, 1, 6)
    lines(board, width=width, most=most)


def test_twenty_columns_have_room_for_the_count_and_its_budget():
    assert plain(drawn(*ANSWER), most=200, width=20)[0] == "thought: 7 of 200"


def test_an_answer_taller_than_the_screen_shows_its_last_lines_below_a_thought():
    console = Console(file=io.StringIO(), width=20, height=5)
    group = render(
        drawn(*ANSWER[:7], *[7] * 60), WORDS.__getitem__, console, 2.0, height=5, fold=Fold(THOUGHT)
    )
    assert len(group.renderables) == 5
    assert all("no" in line.plain for line in group.renderables[:3])
