"""Clients that send their bytes one by one: nobody waits for them for ever."""

from __future__ import annotations

import socket
import threading

import uvicorn

from localpower.server.app import create
from localpower.server.serving import config_of
from localpower.server.settings import Limits
from localpower.server.sockets import Address, listen

WAIT_S = 60
HEAD = b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n"


def test_headers_and_a_body_that_do_not_come_end_the_connection(toy):
    limits = Limits(slow=0.2)
    made = listen(Address("127.0.0.1", 0))
    server = uvicorn.Server(config_of(create(toy, limits), limits))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [made]})
    where = made.getsockname()
    thread.start()
    try:
        for sent, told in ((b"", b""), (HEAD[:40], b""), (HEAD + b"{", b"HTTP/1.1 408")):
            with socket.create_connection(where, timeout=WAIT_S) as connection:
                connection.sendall(sent)
                assert connection.recv(12) == told
    finally:
        server.should_exit = True
        thread.join(WAIT_S)
    assert not thread.is_alive()
