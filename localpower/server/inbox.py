"""From the engine's thread to the event loop: what happened to a request's answers, in order."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from localpower.events import Event
from localpower.runs.answer import Answer
from localpower.runs.tally import Tally


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of a choice."""

    choice: int
    event: Event
    tally: Tally


@dataclass(frozen=True, slots=True)
class Done:
    """A choice's answer."""

    choice: int
    answer: Answer
    tally: Tally


@dataclass(frozen=True, slots=True)
class Lost:
    """Why a choice has none."""

    choice: int
    error: Exception


Item = Happened | Done | Lost


class Inbox:
    """A `Hearer`. wanted(choice, event, tally): whether an event is worth waking the event loop for."""

    def __init__(self, wanted: Callable[[int, Event, Tally], bool] = lambda *_: False) -> None:
        self._loop = asyncio.get_running_loop()
        self._wanted = wanted
        self._items: asyncio.Queue[Item] = asyncio.Queue()

    async def get(self) -> Item:
        """The next."""
        return await self._items.get()

    def event(self, choice: int, event: Event, tally: Tally) -> None:
        """As a hearer."""
        if self._wanted(choice, event, tally):
            self._put(Happened(choice, event, tally))

    def done(self, choice: int, answer: Answer, tally: Tally) -> None:
        """As a hearer."""
        self._put(Done(choice, answer, tally))

    def failed(self, choice: int, error: Exception) -> None:
        """As a hearer."""
        self._put(Lost(choice, error))

    def _put(self, item: Item) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it whoever would hear
            self._loop.call_soon_threadsafe(self._items.put_nowait, item)
