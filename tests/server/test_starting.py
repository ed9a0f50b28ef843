"""Where a server cannot begin it says so in one line, before a model is loaded."""

from __future__ import annotations

import socket

import pytest

from localpower.cli.main import main
from localpower.server import needed
from localpower.server.settings import Access
from localpower.server.sockets import Address, check_access, listen, url


def refused(capsys, code, *arguments):
    """The one line on stderr."""
    assert main(["serve", "-m", "toy", *arguments]) == code
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.strip().splitlines()
    return line


def test_a_port_in_use(capsys):
    with listen(Address("127.0.0.1", 0)) as made:
        line = refused(capsys, 1, "--port", str(made.getsockname()[1]))
    assert "is in use" in line
    assert "--port" in line


@pytest.mark.parametrize("host", ["nowhere.invalid", "256.1.1.1", "a" * 300, "\x00"])
def test_a_host_that_there_is_not(capsys, host, monkeypatch):
    monkeypatch.setenv("LOCALPOWER_API_KEY", "k")
    assert "is no address of this machine" in refused(capsys, 1, "--host", host)


def test_a_port_without_permission(capsys, monkeypatch):
    def bind(self, target):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket, "socket", type("Socket", (socket.socket,), {"bind": bind}))
    assert "may not be used by this user" in refused(capsys, 1, "--port", "80")


def test_another_address_without_a_key(capsys, monkeypatch):
    monkeypatch.delenv("LOCALPOWER_API_KEY", raising=False)
    assert "needs a key" in refused(capsys, 2, "--host", "0.0.0.0")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("--time-limit", "nan"), ("--grace", "-1"), ("--cors", "localhost")),
        *(("--host", ""), ("--port", "70000"), ("--rows", "0")),
    ],
)
def test_a_value_that_can_never_be_right(capsys, option, value):
    assert option in refused(capsys, 2, option, value)


def test_a_missing_extra(capsys, monkeypatch):
    monkeypatch.setattr(needed, "find_spec", lambda name: None)
    assert "pip install 'localpower[server]'" in refused(capsys, 1)


@pytest.mark.parametrize("content", ["", "# only a comment\n"])
def test_a_file_without_a_key(capsys, tmp_path, content):
    path = tmp_path / "keys"
    path.write_text(content)
    assert "holds no key" in refused(capsys, 1, "--api-key-file", str(path))


def test_names_of_this_machine_alone_are_answered_without_a_key():
    assert "localhost" in check_access(Address(), Access(), insecure=False).hosts
    assert check_access(Address("0.0.0.0"), Access(), insecure=True).hosts is None
    assert check_access(Address("0.0.0.0"), Access(keys=("k",)), insecure=False).hosts is None


def test_an_address_is_written_as_a_client_needs_it():
    with listen(Address("0.0.0.0", 0)) as made:
        assert url(made).startswith("http://127.0.0.1:")
