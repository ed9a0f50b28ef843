"""`localpower run` in a real (pseudo-)terminal: the live view, Ctrl-C, resizing, dumb terminals, closed pipes."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.cli.terminal import Terminal

ENDLESS = (
    *("run", "--model", "toy", "--seed", "3", "--max-tokens", "4000"),
    *("--method", "power:block=40", "--steps", "999999"),
)
SHORT = ("run", "--model", "toy", "--seed", "1", "--max-tokens", "16", "hello there")
ANSWER = "the ?no oneno onedog"


def stepping(terminal):
    return re.search(r"step \d\d+/999999", terminal.text)


def test_the_live_view_leaves_only_the_answer_and_the_summary_behind():
    terminal = Terminal(*SHORT)
    assert terminal.finish() == 0
    assert ANSWER in terminal.lines()
    assert "seed 1 · ended by itself · 6 tokens" in terminal.text
    assert "step 5/5" not in terminal.text, "the live view is gone"
    assert not terminal.cursor_hidden


def test_a_narrow_window_and_a_resize_break_no_line():
    terminal = Terminal(*ENDLESS, "x", rows=10, columns=60)
    terminal.wait_until(stepping)
    terminal.resize(8, 20)
    seen = len(terminal.raw)
    terminal.wait_until(lambda t: len(t.raw) > seen + 3000)
    assert len(terminal.lines()) <= 8
    terminal.interrupt()
    assert terminal.finish() == 130


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"NO_COLOR": "1"}], ids=["dumb", "no colour"])
def test_terminals_that_cannot_or_should_not_be_drawn_on_get_plain_lines(environment):
    terminal = Terminal(*SHORT, environment=environment)
    assert terminal.finish() == 0
    assert b"\x1b" not in terminal.raw
    assert ANSWER in terminal.text


def test_a_closed_pipe_is_told_in_one_line():
    command = f"{sys.executable} -m localpower run --model toy --seed 1 x | true"
    done = subprocess.run(
        ["bash", "-c", f"{command}; echo ${{PIPESTATUS[0]}}"], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "1"
    assert done.stderr.strip().splitlines()[-1] == (
        "localpower: stdout was closed before the whole answer was written"
    )


def test_a_run_in_the_background_of_a_shell_is_not_stopped():
    import pexpect

    shell = pexpect.spawn("bash", ["--norc", "--noprofile", "-i"], timeout=60, encoding="utf-8")
    shell.sendline(f"{sys.executable} -m localpower {' '.join(SHORT[:-1])} hello > /dev/null &")
    shell.sendline("wait; jobs; echo finished $?")
    shell.expect("finished 0")
    assert "Stopped" not in shell.before
    shell.sendline("exit")
    shell.close()


def test_plain_lines_are_broken_at_words_on_a_narrow_terminal():
    terminal = Terminal(*SHORT, environment={"NO_COLOR": "1"}, columns=20, rows=40)
    assert terminal.finish() == 0
    words = {word for line in terminal.lines() for word in line.split()}
    assert {"accepted", "tokens,", "first"} <= words
    assert max(map(len, terminal.lines())) <= 20
