"""The events of one run as they happen, and its answer at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, closing
from typing import Generic, Self, TypeVar

from localpower.api.answer_run import AnswerRun
from localpower.errors import UserError
from localpower.events import Event
from localpower.runs.answer import Answer
from localpower.runs.interrupt import Interrupts

Use = Callable[[], AbstractContextManager[Interrupts]]  # makes the model ours while the stream lasts
T = TypeVar("T")


class Pieces(Generic[T]):
    """What a run gives piece by piece, to be iterated once, by one thread.

    pieces: those that are left; a generator that knows nothing of this object, so that its user alone keeps it alive.
    found: where the answer will be.
    """

    def __init__(self, pieces: Generator[T, None, None], found: list[Answer]) -> None:
        self._pieces, self._found = pieces, found
        self._thread: int | None = None

    @property
    def answer(self) -> Answer | None:
        """The answer; None while the run goes on."""
        return self._found[0] if self._found else None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        """The next one. Raises UserError in another thread than the one that began."""
        self._thread = self._thread or threading.get_ident()
        self._own()
        return next(self._pieces)

    def close(self) -> None:
        """Stop before the end; the model is free again. Raises UserError in another thread than the one that began."""
        self._own()
        self._pieces.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _own(self) -> None:
        if self._thread not in (None, threading.get_ident()):
            raise UserError("a stream belongs to the thread that began it")


class Stream(Pieces[Event]):
    """The events of a run, to be iterated once. At the end, or after `close`, `answer` is what was accepted last.

    A stream that is left before its end is closed by `close`, by the end of a `with` block, or when nobody knows it.
    """

    def __init__(self, use: Use, start: Callable[[Interrupts], AnswerRun]) -> None:
        found: list[Answer] = []
        super().__init__(_run(use, start, found), found)


def _run(
    use: Use, start: Callable[[Interrupts], AnswerRun], found: list[Answer]
) -> Generator[Event, None, None]:
    with use() as interrupts:
        job = start(interrupts)
        yield job.started
        try:
            with closing(job.events()) as events:
                for _, event in events:
                    yield event
        finally:
            found.append(job.answer())
