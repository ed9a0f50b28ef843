"""The events of one run as they happen, and its answer at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, closing

from localpower.api.answer_run import AnswerRun
from localpower.errors import UserError
from localpower.events import Event
from localpower.runs.answer import Answer
from localpower.runs.interrupt import Interrupts

Use = Callable[[], AbstractContextManager[Interrupts]]  # makes the model ours while the stream lasts


class Stream:
    """The events of a run, to be iterated once. At the end, or after `close`, `answer` is what was accepted last.

    A stream that is left before its end is closed by `close`, by the end of a `with` block, or when nobody knows it.
    """

    def __init__(self, use: Use, start: Callable[[Interrupts], AnswerRun]) -> None:
        self._found: list[Answer] = []
        self._events = _run(use, start, self._found)
        self._thread: int | None = None

    @property
    def answer(self) -> Answer | None:
        """The answer; None while the run goes on."""
        return self._found[0] if self._found else None

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> Event:
        """The next event. Raises UserError in another thread than the one that began."""
        self._thread = self._thread or threading.get_ident()
        self._own()
        return next(self._events)

    def close(self) -> None:
        """Stop before the end; the model is free again. Raises UserError in another thread than the one that began."""
        self._own()
        self._events.close()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _own(self) -> None:
        if self._thread not in (None, threading.get_ident()):
            raise UserError("a stream belongs to the thread that began it")


def _run(
    use: Use, start: Callable[[Interrupts], AnswerRun], found: list[Answer]
) -> Generator[Event, None, None]:
    """No part of the stream, so that nothing but its user keeps it alive."""
    with use() as interrupts:
        job = start(interrupts)
        yield job.started
        try:
            with closing(job.events()) as events:
                for _, event in events:
                    yield event
        finally:
            found.append(job.answer())
