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


class Whole(io.RawIOBase):
    """A file that writes all that it is given or raises: also to a full pipe that does not block, and unbuffered.

    Nothing stays in a buffer, so that Python has nothing left to write, and to fail at, when it ends.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def writable(self) -> bool:
        """It is."""
        return True

    def fileno(self) -> int:
        """Of the file underneath."""
        return self._fd

    def isatty(self) -> bool:
        """Whether a person reads it."""
        return os.isatty(self._fd)

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
    """Every write to stdout is checked to its end. Stand-ins take the place of what the caller has closed.

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
    """From now on; a caller who ignores Ctrl-C goes on doing so."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupted)
