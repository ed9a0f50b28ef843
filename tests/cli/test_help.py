"""Help is where people look for it."""

from __future__ import annotations

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
