"""The same run without a terminal: one line a stage, no redraws, no colours."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, TextIO

from localpower.events import Event, Finished, Stepped
from localpower.model import Tokens
from localpower.ui.board import fresh
from localpower.ui.view import numbers


class PlainView:
    """A listener that prints a line of numbers when chain 0 completes a stage."""

    def __init__(
        self,
        stream: TextIO,
        settings: dict[str, Any],
        n_chains: int,
        clock: Callable[[], float] = time.perf_counter,
        plain_seconds: Callable[[int], float | None] = lambda _: None,
    ) -> None:
        self._plain_seconds = plain_seconds
        self._stream = stream
        self._clock = clock
        self._start = clock()
        self._board = fresh(settings, n_chains)

    def __enter__(self) -> PlainView:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stream.flush()

    def event(self, chain: int, event: Event) -> None:
        """Print after the last step of every stage but the last, and at the end."""
        self._board = self._board.change(chain, self._board.chains[chain].add(event))
        stage_done = (
            isinstance(event, Stepped)
            and event.member == self._board.chains[chain].tally.shown
            and event.step + 1 == self._board.steps
            and event.horizon < self._board.settings["max_tokens"]
        )
        if chain == 0 and (stage_done or isinstance(event, Finished)):
            elapsed = self._clock() - self._start
            cost = self._board.cost(elapsed, self._plain_seconds)
            print(numbers(self._board, elapsed, cost), file=self._stream)

    def asked(self, chain: int, context: Tokens) -> None:
        """A growing proposal is not shown."""

    def read(self, done: int, total: int) -> None:
        """Nor is the reading of the prompt."""
