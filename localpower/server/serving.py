"""Runs the application on a socket until a signal comes: the first ends it in order, the second at once."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from localpower.errors import EXIT_INTERRUPTED, EXIT_OK
from localpower.server.scheduler import Scheduler
from localpower.server.settings import Limits

_KEEP_ALIVE_S = 15
_LAST_S = 10  # beyond the grace, for a client that does not read what it is sent


def serve(app: Starlette, limits: Limits, made: socket.socket, say: Callable[[str], None]) -> int:
    """Serve until SIGTERM (exit code 0) or Ctrl-C (130). say: what a user must hear of."""
    scheduler: Scheduler = app.state.scheduler
    server = _Server(config_of(app, limits), scheduler, say)
    server.run(sockets=[made])
    return EXIT_INTERRUPTED if server.signal == signal.SIGINT else EXIT_OK


def config_of(app: Starlette, limits: Limits) -> uvicorn.Config:
    """How uvicorn is to serve: one process, plain HTTP, no words of its own."""
    logging.getLogger("uvicorn.error").addHandler(logging.NullHandler())
    logging.getLogger("uvicorn.error").propagate = False
    return uvicorn.Config(
        app,
        http=_impatient(limits.slow),
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=limits.connections,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=math.ceil(limits.grace) + _LAST_S,
    )


class _Server(uvicorn.Server):
    """Ends runs in order before it ends connections."""

    def __init__(self, config: uvicorn.Config, scheduler: Scheduler, say: Callable[[str], None]) -> None:
        super().__init__(config)
        self._scheduler, self._say = scheduler, say
        self.signal: int | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal: what runs has some seconds, then it ends with its current state. The second: at once."""
        if self.signal is not None:
            os._exit(EXIT_INTERRUPTED)
        self.signal = sig
        self.should_exit = True
        grace, n = self._scheduler.limits.grace, len(self._scheduler.live)
        self._scheduler.desk.close(grace)
        if n:
            self._say(
                f"stopping: {n} answer{'s' if n > 1 else ''} may take {grace:g} s more, then the current state is "
                "returned; a second signal stops at once"
            )


def _impatient(seconds: float) -> type[H11Protocol]:
    """A protocol that waits so long for the headers of a connection's first request, and not for ever."""

    class Impatient(H11Protocol):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._timer = asyncio.get_running_loop().call_later(seconds, self._look)

        def connection_lost(self, exc: Exception | None) -> None:
            self._timer.cancel()
            super().connection_lost(exc)

        def _look(self) -> None:
            if self.cycle is None and not self.transport.is_closing():
                self.transport.close()

    return Impatient
