"""How far a file is that comes over the network: a bar on a terminal, a line for each quarter elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from localpower.ui.eval_progress import spell_seconds
from localpower.ui.view import harmless

_QUARTERS = 4
_PATIENCE_S = 5.0  # between lines where nothing is drawn


class Transfer:
    """Hears of `began`, `came` and `said`, in a `with` block. redraw: stderr is a terminal that may be drawn on."""

    def __init__(
        self, say: Callable[[str], None], *, redraw: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._say, self._clock, self._redraw = say, clock, redraw
        self._terminal = ExitStack()
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._file, self._total, self._quarter = "", 0, 0
        self._begun = self._start = self._last = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """The bar goes away."""
        self._terminal.close()

    def began(self, file: str, done: int, total: int) -> None:
        """A file begins, of whose bytes `done` are there already."""
        self._file, self._total, self._begun = harmless(file), total, done
        self._start = self._last = self._clock()
        self._quarter = _QUARTERS * done // max(total, 1)
        if done:
            self._say(f"{self._file}: {_mega(done)} of {_mega(total)} are here from before")
        if not self._redraw:
            self._say(f"Fetching {self._file}, {_mega(total)}")
            return
        self._show(self._file, total, done)

    def came(self, done: int) -> None:
        """So many of its bytes are there."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done)
            return
        quarter, now = _QUARTERS * done // max(self._total, 1), self._clock()
        if quarter > self._quarter and now - self._last > _PATIENCE_S and done < self._total:
            self._quarter, self._last = quarter, now
            rate = (done - self._begun) / (now - self._start)
            left = spell_seconds((self._total - done) / rate)
            self._say(f"{_mega(done)} of {_mega(self._total)}, {left} to go")

    def said(self, text: str) -> None:
        """Something else goes on, for which there is no measure."""
        if self._redraw:
            self._show(harmless(text), None, 0)

    def _show(self, text: str, total: int | None, done: int) -> None:
        self._terminal.close()
        columns = (
            (SpinnerColumn(), TextColumn("{task.description}"))
            if total is None
            else (
                TextColumn("{task.description}"),
                BarColumn(bar_width=16),
                DownloadColumn(),
                TransferSpeedColumn(),
                TimeRemainingColumn(),
            )
        )
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        shown = Text(text, no_wrap=True)
        shown.truncate(28 if total is not None else 70, overflow="ellipsis")
        self._terminal.enter_context(self._bar)
        self._task = self._bar.add_task(shown.markup, total=total, completed=done)


def _mega(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:,.0f} MB" if n_bytes >= 10**6 else f"{n_bytes / 1e3:,.0f} kB"
