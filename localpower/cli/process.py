"""The process around a command: its three streams, and signals that come while modules are imported."""

from __future__ import annotations

import contextlib
import io
import os
import select
import signal
import sys
from types import FrameType
from typing import Any

from localpower.errors import EXIT_INTERRUPTED, OutputClosed
from localpower.runs.interrupt import ENDING


class _Stream(io.RawIOBase):
    """A stream of the process by its number."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def fileno(self) -> int:
        """Of the file underneath."""
        return self._fd

    def isatty(self) -> bool:
        """Whether there is a person at it."""
        return os.isatty(self._fd)


class Patient(_Stream):
    """A file that is read to its end: a pipe that does not block has not ended where nothing is in it yet."""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """What there is; waits for some. Raises OSError for what cannot be read."""
        while True:
            try:
                data = os.read(self._fd, len(buffer))
            except BlockingIOError:
                select.select((self._fd,), (), ())
            except OSError as error:
                raise OSError(error.errno, error.strerror, "stdin") from None
            else:
                buffer[: len(data)] = data
                return len(data)


class Whole(_Stream):
    """A file that writes all that it is given or raises: also to a full pipe that does not block, and unbuffered.

    Nothing stays in a buffer, so that Python has nothing left to write, and to fail at, when it ends.
    """

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """All of it. Raises OutputClosed when nobody reads it, OSError when it cannot be written."""
        rest = memoryview(data).cast("B")
        size = len(rest)
        while rest:
            try:
                rest = rest[os.write(self._fd, rest) :]
            except BlockingIOError:
                select.select((), (self._fd,), ())
            except BrokenPipeError:
                raise OutputClosed("stdout was closed before the whole answer was written") from None
        return size


def open_streams() -> None:
    """stdin is read to its end, every write to stdout is checked. Stand-ins take the place of what the caller closed.

    Raises OutputClosed for a closed stdout, for which there is none.
    """
    closed = sys.stdout is None
    for fd in range(3):  # else the next file that is opened would be the caller's stdout or stderr
        try:
            os.fstat(fd)
        except OSError:
            if os.open(os.devnull, os.O_RDWR) != fd:
                raise
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if closed:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        raise OutputClosed("stdout is closed")
    if os.name == "posix":  # elsewhere a terminal's letters are not read by number
        sys.stdin = io.TextIOWrapper(
            io.BufferedReader(Patient(sys.stdin.fileno())), sys.stdin.encoding, sys.stdin.errors
        )
    sys.stdout = io.TextIOWrapper(
        Whole(sys.stdout.fileno()), sys.stdout.encoding, sys.stdout.errors, write_through=True
    )


def interrupted(number: int, frame: FrameType | None) -> None:
    """As Python's own handler of Ctrl-C; but half an import cannot be undone, so there the process ends at once."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            with contextlib.suppress(OSError):
                os.write(2, b"localpower: interrupted\n")
            os._exit(EXIT_INTERRUPTED)
        frame = frame.f_back
    raise KeyboardInterrupt


def catch_interrupts() -> None:
    """From now on SIGTERM and a closed terminal are as Ctrl-C, and none leaves a terminal half drawn.

    What the caller ignores (nohup) is ignored.
    """
    for number in (signal.SIGINT, *ENDING):
        if signal.getsignal(number) in (signal.default_int_handler, signal.SIG_DFL):
            signal.signal(number, interrupted)
