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
        """Print after the last step of a stage, and at the end of a run without steps."""
        self._board = self._board.change(chain, self._board.chains[chain].add(event))
        steps = self._board.steps
        rounds = bool(
            self._board.settings.get("budget")
        )  # of steps, as long as it has room: one line for all
        stage_done = isinstance(event, Stepped) and event.step + 1 == steps
        if chain == 0 and (
            (stage_done and not rounds) or (isinstance(event, Finished) and (rounds or not steps))
        ):
            plain = self._plain_seconds(len(self._board.chains[0].tally.state))
            print(numbers(self._board, self._clock() - self._start, plain), file=self._stream)

    def asked(self, chain: int, context: Tokens) -> None:
        """A growing proposal is not shown."""
