"""From the engine's thread to the event loop: what happened to a request's answers, in order."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from localpower.server.tickets import Happened, Item


class Inbox:
    """A `Hearer`. wanted: whether an event is worth waking the event loop for."""

    def __init__(self, wanted: Callable[[Happened], bool] = lambda _: False) -> None:
        self._loop = asyncio.get_running_loop()
        self._wanted = wanted
        self._items: asyncio.Queue[Item] = asyncio.Queue()

    async def get(self) -> Item:
        """The next."""
        return await self._items.get()

    def __call__(self, item: Item) -> None:
        """As a hearer."""
        if isinstance(item, Happened) and not self._wanted(item):
            return
        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it whoever would hear
            self._loop.call_soon_threadsafe(self._items.put_nowait, item)
