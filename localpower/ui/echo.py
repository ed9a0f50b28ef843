"""Keys typed while the screen is drawn are kept for later instead of being echoed into the drawing."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def no_echo() -> Iterator[None]:
    """Turn the terminal's echo off where stdin is one; Ctrl-C goes on working."""
    try:
        import termios
    except ImportError:  # Windows
        yield
        return
    try:
        stdin = sys.stdin.fileno()
        before = termios.tcgetattr(stdin)
        ours = os.tcgetpgrp(stdin) == os.getpgrp()
    except (OSError, ValueError, termios.error):  # no terminal
        ours = False
    if not ours:  # a job in the background would be stopped for touching the terminal
        yield
        return
    quiet = [*before]
    quiet[3] &= ~termios.ECHO
    try:
        termios.tcsetattr(stdin, termios.TCSADRAIN, quiet)
        yield
    finally:
        if os.tcgetpgrp(stdin) == os.getpgrp():
            termios.tcsetattr(stdin, termios.TCSADRAIN, before)
