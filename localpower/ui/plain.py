"""Listeners that keep a board of what they hear; and the one without a terminal: one line a stage, no redraws."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Self, TextIO

from localpower.events import Event, Finished, Stepped
from localpower.model import Tokens
from localpower.ui.board import Board, Cost, fresh
from localpower.ui.view import numbers


class View:
    """Folds events into a board. plain_seconds: of a plain answer of so many tokens."""

    def __init__(
        self,
        settings: dict[str, Any],
        n_chains: int,
        clock: Callable[[], float] = time.perf_counter,
        plain_seconds: Callable[[int], float | None] = lambda _: None,
    ) -> None:
        self._plain_seconds, self._clock, self._start = plain_seconds, clock, clock()
        self._board = fresh(settings, n_chains)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left behind."""

    def _spent(self, board: Board) -> tuple[float, Cost | None]:
        """Seconds until now, and what they cost."""
        elapsed = self._clock() - self._start
        return elapsed, board.cost(elapsed, self._plain_seconds)

    def event(self, chain: int, event: Event) -> None:
        """Fold an event in."""
        self._board = self._board.change(chain, self._board.chains[chain].add(event))

    def asked(self, chain: int, context: Tokens) -> None:
        """A proposal grows."""

    def read(self, done: int, total: int) -> None:
        """So many tokens of the prompt are read."""


class PlainView(View):
    """Prints a line of numbers when chain 0 completes a stage."""

    def __init__(self, stream: TextIO, settings: dict[str, Any], n_chains: int, **timed: Any) -> None:
        super().__init__(settings, n_chains, **timed)
        self._stream = stream

    def __exit__(self, *_: object) -> None:
        self._stream.flush()

    def event(self, chain: int, event: Event) -> None:
        """Print after the last step of every stage but the last, and at the end."""
        super().event(chain, event)
        stage_done = (
            isinstance(event, Stepped)
            and event.member == self._board.chains[chain].tally.shown
            and event.step + 1 == self._board.steps
            and event.horizon < self._board.settings["max_tokens"]
        )
        if chain == 0 and (stage_done or isinstance(event, Finished)):
            print(numbers(self._board, *self._spent(self._board)), file=self._stream)
