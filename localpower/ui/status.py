"""A line that says what is being waited for, and how long already, and goes away."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack

from rich.console import Console, Group
from rich.text import Text

from localpower.ui.eval_progress import spell_seconds
from localpower.ui.frames import Frames
from localpower.ui.view import harmless

_FRAMES_PER_SECOND = 8
_PATIENCE_S = 0.4  # what takes no longer is not worth a line


class Status:
    """Call it with what is going on. redraw: whether stderr is a terminal that is redrawn; else nothing is shown."""

    def __init__(self, *, redraw: bool, clock: Callable[[], float] = time.perf_counter) -> None:
        self._redraw, self._clock = redraw, clock
        self._text, self._start = "", clock()
        self._terminal = ExitStack()

    def __call__(self, text: str) -> None:
        """This goes on now."""
        self._text = text

    def line(self, width: int) -> str:
        """What is shown in so many columns; empty in the beginning, and while there is nothing to say."""
        elapsed = self._clock() - self._start
        if elapsed < _PATIENCE_S or not self._text:
            return ""
        since = f" · {spell_seconds(elapsed)}"
        text = Text(harmless(self._text), no_wrap=True)
        text.truncate(max(width - len(since), 1), overflow="ellipsis")
        return f"{text.plain}{since}"

    def __enter__(self) -> Status:
        self._start = self._clock()
        if self._redraw:
            self._draw()
        return self

    def __exit__(self, *_: object) -> None:
        self._terminal.close()

    def _draw(self) -> None:
        console = Console(stderr=True)

        def frame() -> Group:
            line = self.line(console.width)
            return Group(Text(line, style="dim", no_wrap=True, overflow="crop")) if line else Group()

        self._terminal.enter_context(Frames(console, frame, _FRAMES_PER_SECOND))
