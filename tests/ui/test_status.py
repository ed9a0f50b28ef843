"""What is shown while one waits, and how lines are broken at words."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console, Group
from rich.text import Text

from localpower.ui.frames import Frames
from localpower.ui.status import Status
from localpower.ui.wrap import wrapped


def status_after(seconds, text="Reading a\x1b long file"):
    times = iter((0.0, 0.0, seconds))
    with Status(redraw=False, clock=lambda: next(times)) as status:
        status(text)
        return status.line(20)


def test_what_takes_long_is_said_with_its_seconds_within_the_width():
    assert status_after(0.2) == ""
    assert status_after(5.0, "") == ""
    assert status_after(5.0) == "Reading a␛ lo… · 5 s"
    assert cell_len(status_after(5.0, "東京" * 20)) <= 20


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("one two three", 7, ["one two", "three"]),
        ("one two three", 13, ["one two three"]),
        ("one  two   three  ", 9, ["one  two", "three  "]),
        ("a word-that-is-too-long b", 6, ["a", "word-that-is-too-long", "b"]),
        ("  - one two", 8, ["  - one", "two"]),
        ("東京 東京 東京", 10, ["東京 東京", "東京"]),
        ("\n\none two\n", 4, ["", "", "one", "two", ""]),
    ],
)
def test_lines_are_broken_at_words(text, width, lines):
    assert wrapped(text, width).split("\n") == lines


@pytest.mark.parametrize(
    "text",
    [
        "    x = first + second",
        "\tx = first + second",
        "| a table | with cells |",
        "```\nx = first + second\n```",
    ],
)
def test_code_and_tables_keep_their_lines(text):
    assert wrapped(text, 8) == text


def test_a_window_made_narrower_is_cleared_of_every_row_that_the_old_frame_takes_now():
    console = Console(file=io.StringIO(), width=40, height=10, force_terminal=True, color_system=None)
    frames = Frames(console, lambda: Group(Text("x" * 39, no_wrap=True), Text("y" * 12)), 0.001)
    with frames:
        frames.refresh()
        console.width = 13
        start = len(console.file.getvalue())
        frames.refresh()
        drawn = console.file.getvalue()[start:]
    assert drawn.count("\x1b[1A") == 3, "39 cells wrap to three rows, 12 to one; the cursor is in the last"


def test_no_line_of_a_frame_is_wrapped_by_the_terminal():
    """Terminals and rich count the cells of conjuncts and of emoji with a tone of skin differently."""
    console = Console(file=io.StringIO(), width=10, height=10, force_terminal=True, color_system=None)
    with Frames(console, lambda: Group(Text("👩🏽‍🚀" * 3)), 0.001) as frames:
        frames.refresh()
    drawn = console.file.getvalue()
    assert drawn.index("\x1b[?7l") < drawn.index("👩") < drawn.rindex("👩") < drawn.index("\x1b[?7h")
