"""The events of one run as they happen, and its answer at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager

from localpower.api.answer_run import AnswerRun
from localpower.errors import UserError
from localpower.events import Event
from localpower.runs.answer import Answer
from localpower.runs.interrupt import Interrupts

Use = Callable[[], AbstractContextManager[Interrupts]]  # makes the model ours while the stream lasts


class Stream:
    """The events of a run, to be iterated once. At the end, or after `close`, `answer` is what was accepted last."""

    def __init__(self, use: Use, start: Callable[[Interrupts], AnswerRun]) -> None:
        self._events = self._run(use, start)
        self._thread: int | None = None
        self.answer: Answer | None = None

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> Event:
        """The next event. Raises UserError in another thread than the one that began."""
        self._thread = self._thread or threading.get_ident()
        if self._thread != threading.get_ident():
            raise UserError("a stream belongs to the thread that began it")
        return next(self._events)

    def close(self) -> None:
        """Stop before the end; the model is free again."""
        self._events.close()

    def _run(self, use: Use, start: Callable[[Interrupts], AnswerRun]) -> Generator[Event, None, None]:
        with use() as interrupts:
            job = start(interrupts)
            yield job.started
            events = job.events()
            try:
                for _, event in events:
                    yield event
            finally:
                events.close()
                self.answer = job.answer()
