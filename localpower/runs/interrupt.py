"""Ctrl-C, SIGTERM and a closed terminal as a flag: a run stops between two decodes, with its last accepted state."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

from localpower.errors import Interrupted

ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
_SIGNALS = (signal.SIGINT, *ENDING)


class Interrupts:
    """While entered, the first signal sets the flag and the second raises KeyboardInterrupt at once.

    In another thread than the main one nothing is caught. A caller's own signals, where they are ignored, stay so.
    terminated: the signal was one of those that end the program and not just an answer.
    """

    def __init__(self, signals: tuple[int, ...] = _SIGNALS) -> None:
        self._signals = signals
        self.requested = False
        self.terminated = False
        self._closing = self._active = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interrupts:
        self.requested = self._closing = False
        self._active = True
        self._before = {}
        if threading.current_thread() is threading.main_thread():  # no other thread may set a handler
            for number in self._signals:
                before = signal.getsignal(number)
                heard = number != getattr(signal, "SIGHUP", None) and self._signals == _SIGNALS
                if before is not signal.SIG_IGN or heard:  # nohup stays what it is
                    self._before[number] = before
                    signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        self._active = False
        if threading.current_thread() is threading.main_thread():
            for number, handler in self._before.items():
                if signal.getsignal(number) == self._handle:  # else another one is entered on top of this
                    signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self._active:  # left while another was on top, or in a thread that may set no handler
            before = self._before.get(number)
            (before if callable(before) else signal.default_int_handler)(number, frame)
            return
        self.terminated = self.terminated or number in ENDING
        if self.requested and not self._closing:
            raise KeyboardInterrupt
        self.requested = True

    def close(self) -> None:
        """What was earned is being brought in: no signal raises any more."""
        self.requested = self._closing = True

    def check(self) -> None:
        """Raise Interrupted when asked to stop."""
        if self.requested:
            raise Interrupted
