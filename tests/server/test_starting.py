"""Where a server cannot begin it says so in one line, before a model is loaded."""

from __future__ import annotations

import socket

import pytest

from localpower.cli.main import main
from localpower.server import needed
from localpower.server.settings import Access
from localpower.server.sockets import Address, check_access, listen, url


def outcome(capsys, *arguments):
    """The exit code and the one line on stderr."""
    code = main(["serve", "-m", "toy", *arguments])
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.strip().splitlines()
    assert len(lines) == 1, lines
    return code, lines[0]


def test_a_port_in_use(capsys):
    with listen(Address("127.0.0.1", 0)) as made:
        code, line = outcome(capsys, "--port", str(made.getsockname()[1]))
    assert code == 1
    assert "is in use" in line
    assert "--port" in line


@pytest.mark.parametrize("host", ["nowhere.invalid", "256.1.1.1", "a" * 300, "\x00"])
def test_a_host_that_there_is_not(capsys, host, monkeypatch):
    monkeypatch.setenv("LOCALPOWER_API_KEY", "k")
    code, line = outcome(capsys, "--host", host)
    assert code == 1
    assert "is no address of this machine" in line


def test_a_port_without_permission(capsys, monkeypatch):
    def bind(self, target):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket, "socket", type("Socket", (socket.socket,), {"bind": bind}))
    code, line = outcome(capsys, "--port", "80")
    assert code == 1
    assert "may not be used by this user" in line


def test_another_address_without_a_key(capsys, monkeypatch):
    monkeypatch.delenv("LOCALPOWER_API_KEY", raising=False)
    code, line = outcome(capsys, "--host", "0.0.0.0")
    assert code == 2
    assert "needs a key" in line


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--time-limit", "nan"),
        ("--grace", "-1"),
        ("--cors", "localhost"),
        ("--host", ""),
        ("--port", "70000"),
        ("--rows", "0"),
    ],
)
def test_a_value_that_can_never_be_right(capsys, option, value):
    code, line = outcome(capsys, option, value)
    assert code == 2
    assert option in line


def test_a_missing_extra(capsys, monkeypatch):
    monkeypatch.setattr(needed, "find_spec", lambda name: None)
    code, line = outcome(capsys)
    assert code == 1
    assert "pip install 'localpower[server]'" in line


@pytest.mark.parametrize("content", ["", "# only a comment\n"])
def test_a_file_without_a_key(capsys, tmp_path, content):
    path = tmp_path / "keys"
    path.write_text(content)
    code, line = outcome(capsys, "--api-key-file", str(path))
    assert code == 1
    assert "holds no key" in line


def test_names_of_this_machine_alone_are_answered_without_a_key():
    assert "localhost" in check_access(Address(), Access(), insecure=False).hosts
    assert check_access(Address("0.0.0.0"), Access(), insecure=True).hosts is None
    assert check_access(Address("0.0.0.0"), Access(keys=("k",)), insecure=False).hosts is None


def test_an_address_is_written_as_a_client_needs_it():
    with listen(Address("0.0.0.0", 0)) as made:
        assert url(made).startswith("http://127.0.0.1:")
