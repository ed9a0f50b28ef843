"""A command that is forked does what one that is started does: else the tests of the command would prove nothing."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from tests.forked import COMMAND, Forked, command

RUN = ("run", "-m", "toy", "--seed", "1", "--max-tokens", "8", "--quiet")


@pytest.mark.parametrize(
    ("words", "stdin"),
    [((*RUN, "-"), "größer\n"), (("run", "--alpha", "nan"), ""), (("grade", "--kind", "math", "none"), "")],
)
def test_a_forked_command_says_and_returns_what_a_started_one_does(words, stdin, tmp_path):
    forked = command(*words, stdin=stdin, text=True, cwd=tmp_path)
    started = subprocess.run(
        [*COMMAND, *words], input=stdin, capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert (forked.returncode, forked.stdout, forked.stderr) == (
        started.returncode,
        started.stdout,
        started.stderr,
    )


def test_a_forked_command_that_a_signal_kills_says_which():
    read, write = os.pipe()
    try:
        with open(os.devnull, "w") as nothing:
            waiting = Forked([*RUN, "-"], (read, nothing.fileno(), nothing.fileno()))
        os.kill(waiting.pid, signal.SIGKILL)
        assert waiting.wait() == -signal.SIGKILL
    finally:
        os.close(read)
        os.close(write)
