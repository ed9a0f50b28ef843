"""Help is where people look for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from localpower.cli.main import cli, main


@pytest.mark.parametrize("command", list(cli.commands))
def test_help_of_a_command_is_its_own_help(capsys, command):
    assert main(["help", command]) == 0
    asked = capsys.readouterr().out
    assert main([command, "--help"]) == 0
    assert capsys.readouterr().out == asked


def test_help_alone_lists_the_commands_and_of_none_is_refused(capsys):
    assert main(["help"]) == 0
    assert "Commands:" in capsys.readouterr().out
    assert main(["help", "nosuch"]) == 2
    assert capsys.readouterr().err == "localpower: No such command 'nosuch'. (see localpower --help)\n"


@pytest.mark.parametrize("closed", ["2>&-", "2>/dev/full", "<&-"])
def test_an_answer_is_not_lost_where_nobody_hears_the_rest(closed):
    command = f"{sys.executable} -m localpower run -m toy --seed 1 hi {closed}"
    done = subprocess.run(command, shell=True, stdout=subprocess.PIPE, check=False)
    assert (done.returncode, bool(done.stdout.strip())) == (0, True)


def test_a_closed_stdout_is_one_line():
    command = f"{sys.executable} -m localpower methods >&-"
    done = subprocess.run(command, shell=True, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (1, b"localpower: stdout is closed\n")
