"""A few lines at the end of a terminal that are redrawn and leave nothing behind, whatever happens to the terminal.

rich.live counts the rows of the last frame, and goes up by as many for the next. It is told the truth here: lines that
the terminal takes to be wider than rich does are cut off instead of wrapped, a window made narrower wraps the old frame
once more, and a program that was stopped and goes on (Ctrl-Z, fg) begins a new frame below what was written meanwhile.

What cannot be mended here: tmux wraps the screen at once and tells a program of it up to a quarter of a second later.
A frame drawn in between goes up too few rows, and the next one by as many too many, so that one narrowing leaves
nothing; of several in that time, as when a window's edge is dragged, two or three rows of an old frame stay. No answer
of the terminal says where a frame began after that (the position of the cursor tells where it ends, and the rows above
are wrapped too), and to clear more rows than the frame can have would take away lines of the conversation.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

_WRAP_OFF, _WRAP_ON = "\x1b[?7l", "\x1b[?7h"
_PASTE_OFF = "\x1b[?2004l"  # a chat has it on (ui/editor.py), the shell that Ctrl-Z leads to sets its own
_STOP = getattr(signal, "SIGTSTP", None)


class Frames(Live):
    """While entered, `frame()` is drawn so many times a second: a group of texts of one line each.

    Keys typed meanwhile are kept for later instead of being echoed into the drawing; Ctrl-C goes on working.
    """

    def __init__(self, console: Console, frame: Callable[[], Group], per_second: float) -> None:
        self._frame = frame
        self._widths: list[int] = []  # of the lines of the last frame
        self._columns = 0  # of the window when it was drawn
        self._terminal: Any = None
        self._stopped: Any = None  # what Ctrl-Z did before
        super().__init__(
            console=console,
            get_renderable=Group,
            refresh_per_second=per_second,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        self._get_renderable = self._next

    def _next(self) -> Group:
        """The next frame; before that, how many rows the last one takes by now."""
        columns, shape = self.console.width, self._live_render._shape
        if shape and 0 < columns < self._columns:
            self._live_render._shape = (columns, sum(-(-max(width, 1) // columns) for width in self._widths))
        group = self._frame()
        self._columns, self._widths = (
            columns,
            [line.cell_len for line in group.renderables if isinstance(line, Text)],
        )
        return group

    def refresh(self) -> None:
        """Draw. What cannot be drawn costs no answer."""
        with contextlib.suppress(OSError):
            super().refresh()

    def start(self, refresh: bool = False) -> None:
        """Begin to draw."""
        self._take()
        if _STOP and threading.current_thread() is threading.main_thread():
            self._stopped = signal.getsignal(_STOP)
            if self._stopped is signal.SIG_DFL:
                signal.signal(_STOP, self._stop_and_go_on)
        super().start(refresh)

    def stop(self) -> None:
        """Take the frame away and leave the terminal as it was."""
        try:
            with contextlib.suppress(OSError):
                super().stop()
        finally:
            self._give_back()
            if _STOP and self._stopped is signal.SIG_DFL:
                signal.signal(_STOP, signal.SIG_DFL)
                self._stopped = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _stop_and_go_on(self, number: int, _: FrameType | None) -> None:
        """Ctrl-Z, until the shell lets the program go on."""
        with self._lock:
            with contextlib.suppress(OSError):
                self.console.control(self._live_render.position_cursor())
                self.console.show_cursor(True)
            self._live_render._shape = None
            self._give_back()
            self._write(_PASTE_OFF)
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
            signal.signal(number, self._stop_and_go_on)
            self._take()
            with contextlib.suppress(OSError):
                self.console.show_cursor(False)

    def _take(self) -> None:
        self._terminal = _without_echo()
        self._write(_WRAP_OFF)

    def _give_back(self) -> None:
        self._write(_WRAP_ON)
        _set(self._terminal)
        self._terminal = None

    def _write(self, text: str) -> None:
        if self.console.is_terminal:
            with contextlib.suppress(OSError):
                self.console.file.write(text)
                self.console.file.flush()


def _without_echo() -> Any:
    """Turn the echo off, and the limit of 4,095 bytes of a line; what to put back later.

    None where stdin is no terminal of ours.
    """
    try:
        import termios
    except ImportError:  # Windows
        return None
    try:
        before = termios.tcgetattr(sys.stdin.fileno())
    except (OSError, ValueError, AttributeError, termios.error):
        return None
    quiet = [*before]
    quiet[3] &= ~(termios.ECHO | termios.ICANON)
    return before if _set(quiet) else None


def _set(attributes: Any) -> bool:
    """Whether the terminal took them; in the background a program would be stopped for touching it."""
    if attributes is None:
        return False
    import termios

    with contextlib.suppress(OSError, ValueError, termios.error):
        stdin = sys.stdin.fileno()
        if os.tcgetpgrp(stdin) == os.getpgrp():
            termios.tcsetattr(stdin, termios.TCSADRAIN, attributes)
            return True
    return False
