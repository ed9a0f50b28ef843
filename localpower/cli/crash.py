"""One line when the process dies inside llama.cpp, where no handler of Python's runs any more.

A second process, forked before there is anything to copy, waits at a pipe. A crash makes Python's faulthandler write
into it; a process that ends in any other way, kill -9 included, only closes it. What went on lies in shared memory.
"""

from __future__ import annotations

import contextlib
import faulthandler
import mmap
import os
import signal

from localpower.doing import listen

_SIZE = 256
_SIGN = b"Fatal Python error: "


def tell_of_crashes() -> None:
    """From now on. Where a process cannot be forked nothing is told."""
    if not hasattr(os, "fork"):
        return
    os.environ.setdefault("GGML_NO_BACKTRACE", "1")  # else a debugger is asked for a page of addresses
    words = mmap.mmap(-1, _SIZE)
    read, write = os.pipe()
    try:
        child = os.fork()
    except OSError:
        os.close(read)
        os.close(write)
        return
    if child == 0:
        try:
            os.close(write)
            _wait(read, words)
        finally:
            os._exit(0)
    os.close(read)
    faulthandler.enable(write, all_threads=False)

    def heard(what: str) -> None:
        words[:] = what.encode("utf-8", "replace")[: _SIZE - 1].ljust(_SIZE, b"\0")

    listen(heard)


def _wait(read: int, words: mmap.mmap) -> None:
    """Until the other process ends."""
    os.setsid()  # Ctrl-C, Ctrl-Z and a closed terminal are for the other one
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for fd in (0, 1):  # whoever reads stdout sees its end when the other process ends
        with contextlib.suppress(OSError):
            os.close(fd)
    said = b""
    while data := os.read(read, 1 << 12):
        said = said or data
    if said.startswith(_SIGN):
        what = bytes(words).rstrip(b"\0").decode("utf-8", "ignore") or "starting"
        reason = said.removeprefix(_SIGN).splitlines()[0].decode("ascii", "replace")
        line = f"localpower: the process crashed ({reason}) while {what}; what was finished before is kept\n"
        os.write(2, line.encode())
