"""Owns the terminal while a run lasts: redraws on stderr, leaves nothing behind."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Any

from rich.console import Console, Group

from localpower.events import Event
from localpower.model import Tokens
from localpower.ui.board import Board, fresh
from localpower.ui.body import PLAIN, Fold
from localpower.ui.frames import Frames
from localpower.ui.screen import render
from localpower.ui.view import Piece, legend

_FRAMES_PER_SECOND = 8
_READ_S = 4.0  # in which the legend can be read


class LiveView:
    """A listener that shows chain 0 as it changes. Reads events; touches nothing else."""

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
        self._fold = fold
        self._plain_seconds = plain_seconds
        self._explain = explain
        self._console = console
        self._piece = piece
        self._clock = clock
        self._start = clock()
        self._prompt_length = prompt_length
        self._board = fresh(settings, n_chains)
        self._asked: dict[int, Tokens] = {}  # by chain, what it asked for since its last event
        self._frames = Frames(console, self._frame, _FRAMES_PER_SECOND)

    def _now(self) -> Board:
        """With what is growing: looked at for a frame, and not for every token."""
        board = self._board
        for chain, context in list(self._asked.items()):
            view = board.chains[chain].asked(context[self._prompt_length :])
            board = board.change(chain, view)
        return board

    def _frame(self) -> Group:
        board = self._now()
        elapsed = self._clock() - self._start
        height = max(self._console.height - 1, 1)
        cost = board.cost(elapsed, self._plain_seconds)
        return render(
            board,
            self._piece,
            self._console,
            elapsed,
            height=height,
            cost=cost,
            explained=self._explain is not None,
            fold=self._fold,
        )

    def __enter__(self) -> LiveView:
        self._frames.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._frames.stop()
        if self._explain and legend(self._board) and self._clock() - self._start >= _READ_S:
            self._explain()

    def event(self, chain: int, event: Event) -> None:
        """Fold an event in; the refresh thread picks it up."""
        self._asked.pop(chain, None)
        self._board = self._board.change(chain, self._board.chains[chain].add(event))

    def asked(self, chain: int, context: Tokens) -> None:
        """Show what is growing."""
        self._asked[chain] = context

    def read(self, done: int, total: int) -> None:
        """So many tokens of the prompt are read."""
        board = self._now()
        self._asked.clear()
        self._board = replace(board, reading=(done, total))
