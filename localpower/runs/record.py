"""The trace: one JSON line an event, flushed at once, enough to replay the view and re-check every decision."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localpower import jsonl
from localpower.errors import UserError
from localpower.events import Event, Extended, Started, Stepped, to_json
from localpower.runs.session import Listener


class Lines:
    """Events as values of JSON. Each has the chain's index, `t`, the seconds since the first event, and, in `pieces`,
    the bytes of tokens not seen before.

    Bytes that are no UTF-8 by themselves are written as lone surrogates (Python's surrogateescape).
    """

    def __init__(self, piece: Callable[[int], bytes], clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._start: float | None = None
        self._piece = piece
        self._seen: set[int] = set()

    def of(self, chain: int | None, event: Event) -> dict[str, Any]:
        """The next event's."""
        now = self._clock()
        self._start = now if self._start is None else self._start
        line = to_json(event) | {"t": round(now - self._start, 4)}
        if chain is not None:
            line["chain"] = chain
        tokens: tuple[int, ...] = ()
        if isinstance(event, Started):
            tokens = event.prompt
        elif isinstance(event, Extended | Stepped):
            tokens = event.suffix.tokens
        return line | {"pieces": self.pieces(tokens)}

    def pieces(self, tokens: tuple[int, ...]) -> dict[str, str]:
        """Of those not seen before."""
        fresh = dict.fromkeys(token for token in tokens if token not in self._seen)
        self._seen.update(fresh)
        return {str(token): self._piece(token).decode("utf-8", "surrogateescape") for token in fresh}


class Recorder(Listener):
    """Writes events, a line each (`Lines`).

    When a write fails (a full disk) recording ends, `problem` says why, and the run goes on.
    """

    def __init__(
        self, path: Path, piece: Callable[[int], bytes], clock: Callable[[], float] = time.perf_counter
    ) -> None:
        """Raises UserError when the file cannot be opened."""
        self._lines = Lines(piece, clock)
        self.problem = ""
        self._file = jsonl.Writer(path, "--events takes a file", fresh=True)

    def write(self, chain: int | None, event: Event) -> None:
        """Append one event."""
        if self.problem:
            return
        try:
            self._file.add(self._lines.of(chain, event))
        except UserError as error:
            self._end(error)

    def event(self, chain: int, event: Event) -> None:
        """As a listener."""
        self.write(chain, event)

    def close(self) -> None:
        """Close the file; a failure here is a `problem` too."""
        try:
            self._file.close()
        except UserError as error:
            self._end(error)

    def _end(self, error: UserError) -> None:
        self.problem = self.problem or f"the recording ends early: {error.message}"
