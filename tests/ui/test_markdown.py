"""Markdown on a terminal: what is copied from the screen is what the model wrote, and nothing of it is lost."""

from __future__ import annotations

import re

import pytest

from localpower.ui.markdown import rendered


def shown(text, width=40):
    return re.sub(r"\x1b\[[\d;]*m", "", rendered(text, width))


def test_code_is_copied_as_it_was_written_however_long_its_lines_are():
    code = "def f(x):\n    return x + 1  # " + "long " * 20 + "end\n\n\ny = f(2)"
    assert code in shown(f"Here:\n\n```python\n{code}\n```\nDone.")


@pytest.mark.parametrize(
    "text",
    [
        "roses are red\nviolets are blue",
        "a <think> tag, a <b>bold</b> &amp; this",
        r"\(x_1 + y_1\) and \[z\] and \frac{1}{2}",
        "2 * 3 * 4 = 24",
        "snake_case_name and __init__.py",
        "Answer\n======\n42",
        "50% [done] (maybe) !",
    ],
)
def test_what_is_no_markdown_stays_as_it_is(text):
    assert shown(text).split() == text.split()
    assert len(shown(text).splitlines()) == len(text.splitlines())


def test_marks_of_markdown_become_styles():
    assert "\x1b[1mbold\x1b[0m" in rendered("a **bold** word", 40)
    assert shown("# Rivers\n\n- Nile\n- Amazon") == "Rivers\n\n • Nile\n • Amazon"


def test_a_link_shows_where_it_leads():
    assert "https://my_host.example.org/a_b" in shown("see [this](https://my_host.example.org/a_b)", 60)


def test_control_characters_of_a_model_are_shown_and_not_obeyed():
    assert "\x1b]0;" not in rendered("\x1b]0;title\x07 and `\x1b[2J`", 40)
