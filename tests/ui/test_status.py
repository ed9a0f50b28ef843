"""What is shown while one waits, and how lines are broken at words."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

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
