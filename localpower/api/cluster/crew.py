"""The coordinator: pieces for whoever is free, rows as they come, and what a lost worker leaves for the others.

Pieces shrink with what is left (guided self-scheduling, Polychronopoulos & Kuck 1987): a slow machine holds up the end
by a small piece at most. A row counts once, whoever made it, for its chance is its own.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass

from localpower.api.cluster.work import Lost, Piece, Worker, Workers
from localpower.errors import Interrupted, UserError
from localpower.evals.store import Key, Row, key

_LARGEST, _SMALLEST = 64, 4  # answers of a piece
_POLL_S = 0.2
_LOOK_S = 5.0  # between looks for workers that have joined
_TRIES = 3  # of a piece whose workers are lost


@dataclass(frozen=True, slots=True)
class _Event:
    """From a worker's thread. row: an answer; else the piece has ended, by `error` or whole."""

    worker: Worker
    piece: Piece
    row: Row | None = None
    error: BaseException | None = None


class Crew:
    """Workers of one kind, and what they are to do."""

    def __init__(self, workers: Workers, say: Callable[[str], None]) -> None:
        self._workers, self._say = workers, say
        self._idle: list[Worker] = []
        self._busy: list[Worker] = []
        self._events: queue.SimpleQueue[_Event] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._looked = 0.0

    def close(self) -> None:
        """End the workers."""
        self._stop.set()
        self._workers.close()

    def make(
        self,
        model: str,
        keys: Sequence[Key],
        matched: Mapping[tuple[str, str], float],
        check: Callable[[], None],
    ) -> Generator[Row, None, None]:
        """The answers of a model, as they come. What `check` raises ends it, after all that is there was handed on.

        Raises UserError where no worker is left, or where one cannot go on.
        """
        waiting, missing, tries = deque(keys), set(keys), Counter[Key]()
        try:
            while missing:
                check()
                self._join(model, waiting, matched)
                event = self._next()
                if event is None:
                    continue
                if event.row is not None:
                    if (made := key(event.row)) in missing:
                        missing.discard(made)
                        yield event.row
                    continue
                self._ended(event, waiting, missing, tries)
        except (Interrupted, KeyboardInterrupt):
            self._stop.set()
            while (event := self._next(0)) is not None:
                if event.row is not None and (made := key(event.row)) in missing:
                    missing.discard(made)
                    yield event.row
            raise

    def _ended(self, event: _Event, waiting: deque[Key], missing: set[Key], tries: Counter[Key]) -> None:
        """A worker is free, or gone. Raises UserError."""
        self._busy.remove(event.worker)
        left = [each for each in event.piece.keys if each in missing]
        if event.error is None:
            self._idle.append(event.worker)
            if left:
                raise UserError(f"{event.worker.name} made no answer to {left[0][1]}")
            return
        if not isinstance(event.error, Lost):
            raise event.error
        self._say(f"note: {event.worker.name} is lost ({event.error}): {len(left)} answers go to others")
        self._workers.lost(event.worker)
        self._looked = 0.0
        tries.update(left[:1])
        if left and tries[left[0]] >= _TRIES:
            raise UserError(
                f"workers were lost {_TRIES} times at {left[0][1]}: {event.error}",
                "what was made stays; the same command goes on",
            )
        waiting.extendleft(reversed(left))

    def _join(self, model: str, waiting: deque[Key], matched: Mapping[tuple[str, str], float]) -> None:
        """Let everybody who is free begin."""
        if time.monotonic() - self._looked >= _LOOK_S:
            self._idle += self._workers.more()
            self._looked = time.monotonic()
        while waiting and self._idle:
            worker = self._idle.pop()
            self._busy.append(worker)
            piece = Piece(model, self._taken(waiting), matched)
            threading.Thread(target=self._work, args=(worker, piece), daemon=True).start()

    def _taken(self, waiting: deque[Key]) -> tuple[Key, ...]:
        """The next piece: half of an even share, within limits."""
        share = -(-len(waiting) // (2 * len(self._busy + self._idle)))
        size = min(max(share, _SMALLEST), _LARGEST, len(waiting))
        return tuple(waiting.popleft() for _ in range(size))

    def _work(self, worker: Worker, piece: Piece) -> None:
        """In a thread: one piece."""
        try:
            worker.make(piece, lambda row: self._events.put(_Event(worker, piece, row)), self._stop.is_set)
        except BaseException as error:
            self._events.put(_Event(worker, piece, None, error))
        else:
            self._events.put(_Event(worker, piece))

    def _next(self, seconds: float = _POLL_S) -> _Event | None:
        try:
            return self._events.get(timeout=seconds) if seconds else self._events.get_nowait()
        except queue.Empty:
            return None
