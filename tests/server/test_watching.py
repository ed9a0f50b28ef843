"""`localpower watch`: the events of an answer that somebody else has asked for."""

from __future__ import annotations

import json
import socket
import threading
import time

import pytest

from localpower.errors import UserError
from localpower.runs.tally import Tally
from localpower.server import told
from localpower.server.settings import Manner
from localpower.server.sockets import Address, listen
from tests.server.conftest import ask, serving

WAIT_S = 60


def test_a_watcher_hears_what_adds_up_to_the_answer_and_nothing_of_its_prompt(toy):
    with serving(toy, manner=Manner(watch=True)) as client:
        scheduler, found = client.app.state.scheduler, []
        watcher = threading.Thread(target=lambda: found.append(client.get("/v1/localpower/watch").text))
        watcher.start()
        for _ in range(WAIT_S * 100):
            if scheduler._watchers:
                break
            time.sleep(0.01)
        reply = ask(client, text="hears itself", localpower={"steps": 8}, max_tokens=20)
        watcher.join(WAIT_S)
        assert not scheduler._watchers
    lines = [line[6:] for line in found[0].split("\n") if line.startswith("data: ")]
    heard = [told._read(line, "here") for line in lines]
    assert heard[0].started.settings["seed"] == 1
    assert heard[0].started.prompt == ()
    tally, pieces = Tally(), {}
    for each in heard:
        pieces |= each.pieces
        if each.event is not None:
            tally = tally.add(each.event)
    choice = reply["choices"][0]
    assert tally.state.total_log_p() == choice["localpower"]["log_p"]
    assert b"".join(map(pieces.get, tally.state.tokens)).decode() == choice["message"]["content"]
    assert json.loads(lines[0])["pieces"] == {}


def test_what_cannot_be_watched_is_told_in_one_line():
    with listen(Address("127.0.0.1", 0)) as made:
        port = made.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}", "nowhere.invalid", "foo://x", ""):
        with pytest.raises(UserError, match="cannot reach"):
            next(told.events(url))


@pytest.mark.parametrize(
    "said", ["HTTP/1.1 404 Not Found\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\ndata: {}\r\n\r\n", "rubbish\r\n\r\n"]
)
def test_another_program_is_no_server_of_ours(said):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            connection, _ = server.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(said.encode())

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(UserError) as told_of:
            list(told.events(f"127.0.0.1:{server.getsockname()[1]}"))
        thread.join(WAIT_S)
    assert "\n" not in told_of.value.line()
