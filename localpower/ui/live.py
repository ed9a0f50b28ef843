"""Owns the terminal while a run lasts: redraws on stderr, leaves nothing behind."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Self, TextIO

from rich.console import Console, Group

from localpower.events import Event
from localpower.model import Tokens
from localpower.ui.board import Board
from localpower.ui.body import PLAIN, Fold
from localpower.ui.frames import Frames
from localpower.ui.plain import PlainView, View
from localpower.ui.screen import render
from localpower.ui.view import Piece, legend

_FRAMES_PER_SECOND = 8
_READ_S = 4.0  # in which the legend can be read


class LiveView(View):
    """Shows chain 0 as it changes. Reads events; touches nothing else."""

    def __init__(
        self,
        console: Console,
        piece: Piece,
        settings: dict[str, Any],
        n_chains: int,
        prompt_length: int,
        clock: Callable[[], float] = time.perf_counter,
        plain_seconds: Callable[[int], float | None] = lambda _: None,
        explain: Callable[[], None] | None = None,
        fold: Fold = PLAIN,
    ) -> None:
        """explain: the legend is shown, and this is called when there was time to read it. fold: of thoughts."""
        super().__init__(settings, n_chains, clock, plain_seconds)
        self._console, self._piece, self._prompt_length = console, piece, prompt_length
        self._explain, self._fold = explain, fold
        self._asked: dict[int, Tokens] = {}  # by chain, what it asked for since its last event
        self._frames = Frames(console, self._frame, _FRAMES_PER_SECOND)

    def _now(self) -> Board:
        """With what is growing, which is looked at for a frame and not for every token."""
        board = self._board
        for chain, context in list(self._asked.items()):
            board = board.change(chain, board.chains[chain].asked(context[self._prompt_length :]))
        return board

    def _frame(self) -> Group:
        board = self._now()
        elapsed, cost = self._spent(board)
        return render(
            board,
            self._piece,
            self._console,
            elapsed,
            height=max(self._console.height - 1, 1),
            cost=cost,
            explained=self._explain is not None,
            fold=self._fold,
        )

    def __enter__(self) -> Self:
        self._frames.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._frames.stop()
        if self._explain and legend(self._board) and self._clock() - self._start >= _READ_S:
            self._explain()

    def event(self, chain: int, event: Event) -> None:
        """Fold an event in; the refresh thread picks it up."""
        self._asked.pop(chain, None)
        super().event(chain, event)

    def asked(self, chain: int, context: Tokens) -> None:
        """Show what is growing."""
        self._asked[chain] = context

    def read(self, done: int, total: int) -> None:
        """So many tokens of the prompt are read."""
        board = self._now()
        self._asked.clear()
        self._board = replace(board, reading=(done, total))


def view_on(
    stream: TextIO | None,
    piece: Piece,
    settings: dict[str, Any],
    n_chains: int,
    prompt_length: int,
    *,
    explain: Callable[[], None] | None = None,
    fold: Fold = PLAIN,
    **timed: Any,
) -> View:
    """Plain lines on `stream`; None: the live view on stderr. timed: clock and plain_seconds, as View has them."""
    if stream is not None:
        return PlainView(stream, settings, n_chains, **timed)
    console = Console(stderr=True)
    return LiveView(console, piece, settings, n_chains, prompt_length, explain=explain, fold=fold, **timed)
