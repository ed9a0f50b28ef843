"""Modules of ours in processes of their own: what hangs, takes all memory or dies there takes nothing with it.

Requests and replies are JSON lines. The process is in a session of its own, so that Ctrl-C is for the parent to handle.
It ends with its parent: it reads on while it works, and leaves when nothing can be read any more; where a library does
not let it, an alarm ends it some seconds after the request's time is over. Programs that a model wrote do not run here
but in `grading.sandbox`: they must find no module of ours, and no pipe for replies that they could forge.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import math
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Self

from localpower import errors
from localpower.errors import Interrupted, UserError

_HOME = Path(__file__).resolve().parent.parent
_START_S = 60.0  # until a module is imported, from a cold disk
_POLL_S = 0.1
_GRACE_S = 5
_LONGEST_REPLY = 1 << 24
_TOLD = b'["told"'
_replies: list[IO[str]] = []  # of this process, where it is a child


class ChildError(Exception):
    """No reply came."""


class Failed(ChildError):
    """The module raised; the text says what."""


class Late(ChildError):
    """The time was over."""


class Died(ChildError):
    """The process ended. signal: of which it died, 0 if it left by itself."""

    def __init__(self, number: int) -> None:
        super().__init__(f"its process was killed by signal {number}" if number else "its process ended")
        self.signal = number


def ask(
    module: str,
    request: Any,
    seconds: float | None = None,
    memory: int | None = None,
    stop: Callable[[], bool] = lambda: False,
    heard: Callable[[str], None] = lambda _: None,
) -> Any:
    """As `Worker.ask`, by a process for this one request."""
    with Worker(module, memory) as worker:
        return worker.ask(request, seconds, stop, heard)


class Worker:
    """A process that gives each request to a module's `answer`. A new one starts when there is none any more.

    memory: bytes that it may address at most.
    """

    def __init__(self, module: str, memory: int | None = None) -> None:
        self._module, self._memory = module, memory
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(
        self,
        request: Any,
        seconds: float | None = None,
        stop: Callable[[], bool] = lambda: False,
        heard: Callable[[str], None] = lambda _: None,
    ) -> Any:
        """The reply. seconds: at most, once the module is imported; None: no limit. heard: of what the module `tell`s.

        Raises the UserErrors of the module, Failed for its other errors, Late and Died; Interrupted when stop() turns
        true. After all but the first two the process is gone.
        """
        if self._child is None:
            # Not `python -m`: that looks in the user's folder first, where a file may be called platform.py.
            code = f"import sys; sys.path.append({str(_HOME)!r}); from {__name__} import main; main()"
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-c", code, self._module, str(self._memory or 0)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            try:
                self._exchange(None, _START_S, stop)
            except Failed:
                self.close()
                raise
        return self._exchange([request, seconds], seconds, stop, heard)

    def close(self) -> None:
        """End the process and what it may have started."""
        child, self._child = self._child, None
        if child is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL) if hasattr(os, "killpg") else child.kill()
        child.wait()
        self._talk.join(_GRACE_S)
        if not self._talk.is_alive():
            with contextlib.suppress(OSError), child:  # a request that was not read whole
                pass

    def _exchange(
        self,
        message: Any,
        seconds: float | None,
        stop: Callable[[], bool],
        heard: Callable[[str], None] = lambda _: None,
    ) -> Any:
        """Send a message, if there is one, and wait for the reply."""
        child = self._child
        assert child is not None
        lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._talk = threading.Thread(target=_talk, args=(child, message, lines.put), daemon=True)
        self._talk.start()
        end = math.inf if seconds is None else time.monotonic() + seconds
        try:
            while (line := _next(lines, min(_POLL_S, max(end - time.monotonic(), 0.0)))) is None or (
                line.startswith(_TOLD)
            ):
                if line:
                    heard(str(json.loads(line)[1]))
                if stop():
                    raise Interrupted
                if time.monotonic() >= end:
                    raise Late(f"it took longer than {seconds:g} s")
            try:
                kind, *said = json.loads(line)
            except ValueError:
                raise _death(child, line, stop) from None
        except BaseException:
            self.close()
            raise
        if kind == "reply":
            return said[0]
        raise Failed(*said) if kind == "failed" else getattr(errors, kind, UserError)(*said)


def _death(child: subprocess.Popen[bytes], line: bytes, stop: Callable[[], bool]) -> BaseException:
    """What it means that a process said nothing more, or nothing of ours."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        number = 0 if line else -child.wait(_GRACE_S)
        if stop():
            return Interrupted()
        return KeyboardInterrupt() if number == signal.SIGINT else Died(max(number, 0))
    return Died(0)


def _next(lines: queue.SimpleQueue[bytes], seconds: float) -> bytes | None:
    try:
        return lines.get(timeout=seconds)
    except queue.Empty:
        return None


def _talk(child: subprocess.Popen[bytes], message: Any, put: Callable[[bytes], None]) -> None:
    """Write and read in a thread, for either may wait for ever."""
    assert child.stdin is not None
    assert child.stdout is not None
    line = b""
    with contextlib.suppress(OSError, ValueError):
        if message is not None:
            child.stdin.write(json.dumps(message).encode() + b"\n")
            child.stdin.flush()
        while (line := child.stdout.readline(_LONGEST_REPLY)).startswith(_TOLD):
            put(line)
    put(line)


def tell(text: str) -> None:
    """In a child, while it works on a request: the parent hears of it."""
    for replies in _replies:
        _say(replies, ["told", text])


def main() -> None:
    """The process. Its arguments: the module, and the bytes of memory that it may have, 0 for any."""
    name, memory = sys.argv[1], int(sys.argv[2])
    replies = os.fdopen(os.dup(1), "w", encoding="ascii")
    _replies.append(replies)
    os.dup2(2, 1)  # what a library prints is no reply
    asked = os.fdopen(os.dup(0), encoding="ascii")
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)  # and what it reads is no request: input() ends at once
    if memory:
        _limit(memory)
    found = _outcome(lambda: importlib.import_module(name), memory)
    _say(replies, found if found[0] != "reply" else ["reply", None])
    requests: queue.SimpleQueue[list[Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(asked, requests), daemon=True).start()
    while True:
        request, seconds = requests.get()
        if seconds is not None and hasattr(signal, "alarm"):
            signal.alarm(math.ceil(seconds) + _GRACE_S)
        reply = _outcome(lambda: found[1].answer(request), memory)  # noqa: B023 - called at once
        if hasattr(signal, "alarm"):
            signal.alarm(0)
        _say(replies, reply)


def _limit(memory: int) -> None:
    """Cap this process, where the system knows how; else the parent's time limit must do."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _listen(asked: IO[str], requests: queue.SimpleQueue[list[Any]]) -> None:
    for line in asked:
        requests.put(json.loads(line))
    os._exit(0)  # the parent is gone


def _say(replies: IO[str], found: list[Any]) -> None:
    print(json.dumps(found), file=replies, flush=True)


def _outcome(job: Callable[[], Any], memory: int) -> list[Any]:
    try:
        return ["reply", job()]
    except UserError as error:
        return [type(error).__name__, error.message, error.hint]
    except MemoryError:
        return ["failed", f"it asked for more than {memory >> 20} MB"]
    except Exception as error:  # foreign code: whatever it raises is its own fault, told in one line
        return ["failed", f"{type(error).__name__}: {error}"]
