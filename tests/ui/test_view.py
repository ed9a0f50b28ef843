"""The screen as pure functions: a board and a width give lines of text."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import pytest
from rich.console import Console

from localpower.completion import Completion
from localpower.events import Chosen, Extended, Finished, Resampled, Stepped
from localpower.ui.board import fresh
from localpower.ui.live import LiveView
from localpower.ui.screen import render
from localpower.ui.view import harmless, numbers

SETTINGS = {"max_tokens": 16, "block": 4, "steps": 3}
WORDS = [b"", b"one ", b"two ", b"three ", b"[bold]x[/bold] ", b"\x1b[31mred ", b"\xf0\x9f", b"\x98\x80 "]


def piece(token):
    return WORDS[token]


def suffix(*tokens, ended=False):
    n = len(tokens)
    zeros = np.zeros(n)
    return Completion(tokens, ended, np.full(n, -1.0), zeros, zeros, np.zeros(n, np.bool_))


def stepped(step, cut, tokens, *, accepted, divergence=None, stage=0, horizon=4):
    free = divergence is None
    ratios = (0.0,) * 6
    part = suffix(*tokens)
    return Stepped(
        stage, step, horizon, cut, divergence, 4, 4, *ratios, accepted, free, False, cut, len(tokens), part
    )


def board_after(*events, chains=1):
    board = fresh(SETTINGS, chains)
    for event in events:
        board = board.change(0, board.chains[0].add(event))
    return board


def screen(board, width=60, height=20, elapsed=2.0, *, explained=False):
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None, legacy_windows=False)
    cost = board.cost(elapsed, lambda n: None)
    console.print(render(board, piece, console, elapsed, height=height, cost=cost, explained=explained))
    return console.file.getvalue().splitlines()


GROWN = Extended(0, 4, 0, suffix(1, 2, 3, 1))


def test_the_screen_of_a_chain_after_two_steps():
    board = board_after(
        GROWN,
        stepped(0, 2, (3, 3), accepted=False, divergence=3),
        stepped(1, 1, (3, 2, 1), accepted=True, divergence=1),
    )
    assert screen(board) == [
        "one |three two one ",
        "step 2/3 · log p -4.0 · 2.2x tokens · eta 16 s",
        "steps .#",
        "log p ▁▁▁",
    ]


def test_a_growing_proposal_is_shown_below_from_where_it_leaves_the_state():
    board = board_after(GROWN)
    board = board.change(0, board.chains[0].asked((1, 2, 2, 2)))
    assert screen(board)[:2] == ["one two three one ", "> two two "]


def test_free_steps_are_marked_and_leave_the_acceptance_rate_alone():
    board = board_after(GROWN, stepped(0, 2, (3, 1), accepted=True))
    assert board.chains[0].strip == "="
    assert "accepted" not in numbers(board, 2.0)


def test_an_answer_taller_than_the_screen_shows_its_last_lines():
    board = board_after(Extended(0, 16, 0, suffix(*[3] * 15, 1)))
    lines = screen(board, width=20, height=5)
    assert len(lines) == 5
    assert [line.split() for line in lines[:-1]] == [["three"] * 3] * 3 + [["one"]]


@pytest.mark.parametrize("width", [1, 8, 20, 30, 200])
def test_no_line_is_wider_than_the_terminal(width):
    board = board_after(GROWN, stepped(0, 2, (3, 3), accepted=False, divergence=3), chains=3)
    assert max(map(len, screen(board, width=width, height=30, explained=True))) <= width


STEPPED = (GROWN, stepped(0, 2, (3, 3), accepted=False, divergence=3))


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (120, "block 1/4 · step 1/3 · accepted 0 % · log p -4.0 · 3 tok/s · {} of the first draw · eta 24 s"),
        (60, "step 1/3 · log p -4.0 · {} · eta 24 s"),
        (46, "{} · eta 24 s"),
        (20, "1.5x · eta 24 s"),
    ],
)
def test_a_narrow_screen_keeps_the_cost_and_the_time_to_go(width, line):
    assert line.format("1.5x tokens") in screen(board_after(*STEPPED), width=width)


@pytest.mark.parametrize(
    ("width", "line"), [(60, "reading the prompt 512 of 1,314 tokens · 2 s"), (20, "prompt 512/1,314")]
)
def test_the_reading_of_a_prompt_is_shown_until_a_token_is_drawn(width, line):
    board = dataclasses.replace(board_after(), reading=(512, 1314))
    assert line in screen(board, width=width)[-1]
    board = board.change(0, board.chains[0].asked((1,)))
    assert not any("1,314" in each for each in screen(board))


def test_the_legend_is_shown_where_there_is_room_and_there_are_steps():
    told = "steps: # accepted"
    assert any(told in line for line in screen(board_after(*STEPPED), width=100, explained=True))
    for board, height, explained in (
        (board_after(*STEPPED), 20, False),
        (board_after(*STEPPED), 8, True),
        (dataclasses.replace(board_after(), settings={"max_tokens": 16}), 20, True),
    ):
        assert not any(told in line for line in screen(board, 100, height, explained=explained))


@pytest.mark.parametrize(("seconds", "times"), [(1.0, 0), (9.0, 1)])
def test_a_legend_counts_as_shown_once_there_was_time_to_read_it(seconds, times):
    now, shown = [0.0], []
    console = Console(file=io.StringIO(), width=60)
    view = LiveView(console, piece, SETTINGS, 1, 1, lambda: now[0], explain=lambda: shown.append(1))
    with view:
        now[0] = seconds
    assert len(shown) == times


def test_model_text_is_never_markup_and_never_moves_the_cursor():
    lines = screen(board_after(Extended(0, 4, 0, suffix(4, 5))))
    assert lines[0] == "[bold]x[/bold] ␛[31mred "


def test_an_unfinished_character_waits_for_its_last_byte():
    assert screen(board_after(Extended(0, 4, 0, suffix(1, 6))))[0] == "one "
    assert screen(board_after(Extended(0, 4, 0, suffix(1, 6, 7))))[0] == "one 😀 "


def test_a_finished_run_has_no_eta_and_a_young_one_none_yet():
    assert "eta" in numbers(board_after(GROWN), 2.0)
    assert "eta" not in numbers(board_after(GROWN), 0.2)
    assert "eta" not in numbers(board_after(GROWN, Finished("stop", 4, -4.0)), 2.0)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\r\nb\tc", "a\nb\tc"),
        ("\x07\x1b]0;title\x07", "␇␛]0;title␇"),
        ("\x7f\x9b31m", "\u2421\ufffd31m"),
        ("\u202egnp.exe", "\ufffdgnp.exe"),
        ("naïve 東京 👩‍👩‍👧", "naïve 東京 👩‍👩‍👧"),
    ],
)
def test_control_characters_are_shown_instead_of_obeyed(text, shown):
    assert harmless(text) == shown


def test_the_heaviest_particle_is_shown_with_the_effective_sample_size():
    grown = [Extended(0, 16, 0, suffix(token), member) for member, token in enumerate((1, 2, 3))]
    board = board_after(*grown, Resampled(2, 1.5, 1.4, 0.0, (0.0, 3.0, 1.0), None))
    assert board.chains[0].tally.state.tokens == (2,)
    again = board_after(*grown, Resampled(2, 1.5, 1.4, 0.0, (0.0, 3.0, 1.0), (1, 1, 2)))
    assert again.chains[0].tally.state.tokens == (2,)
    line = numbers(dataclasses.replace(again, settings={"max_tokens": 16, "particles": 3}), 2.0)
    assert "ess 1.4/3 · resampled 1x" in line


def test_after_a_start_proposals_grow_on_the_screen_and_its_particles_are_gone():
    started = (
        Extended(0, 4, 0, suffix(1, 2, 3, 1), 0),
        Extended(0, 4, 0, suffix(2, 2, 3, 1), 1),
        Resampled(4, 4.0, 1.5, 0.0, (0.0, -1.0), None),
    )
    view = board_after(*started).chains[0]
    assert view.asked((2, 2)).growing == (), "another particle"
    chosen = view.add(Chosen(1, (0.0, -1.0), -3.0))
    assert chosen.asked((2, 2, 1)).growing == (1,)
    moved = chosen.add(dataclasses.replace(stepped(0, 2, (1, 1), accepted=True, divergence=2), member=1))
    assert moved.ess is None
    assert moved.tally.state.tokens == (2, 2, 1, 1)


def test_a_token_that_is_asked_for_is_looked_at_when_the_next_frame_is_drawn():
    read = []

    class Context(tuple):
        def __getitem__(self, index):
            read.append(index)
            return super().__getitem__(index)

    console = Console(file=io.StringIO(), width=60, height=20, color_system=None, legacy_windows=False)
    view = LiveView(console, piece, SETTINGS, 1, 1)
    view.event(0, GROWN)
    for n in range(40):
        view.asked(0, Context((9, 1, 2, *[3] * n)))
    assert not read
    console.print(view._frame())
    assert "three three" in console.file.getvalue()
    assert len(read) == 1
    view.read(1, 2)
    assert view._board.reading == (1, 2), "what is read is told, though a row was asked for before"
