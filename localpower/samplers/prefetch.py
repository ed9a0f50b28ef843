"""Reject-branch prefetch: several proposals from one state in a batch, decided in order, up to the first that moves.

Each proposal draws from the stream of its own move, and one from a state that a move has left is never used: so the
chain is the same with any width, bit for bit, and the width may change from one batch to the next. What it costs is
rows; what it saves is waiting for a lone one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from localpower.model import LogitRow, Model, Request, Tokens, serve
from localpower.numerics import TokenDistribution

if TYPE_CHECKING:
    from greenlet import greenlet

Task = Callable[[Model], Any]
# How many proposals have a row in the next batch, the next to be decided among them. It is told the places of those
# that wait, 0 being the next to be decided, and the place of the next one to begin.
Rows = Callable[[Sequence[int], int], int]


class _View:
    """The model as one proposal sees it."""

    def __init__(self, model: Model, hub: greenlet, crowd: Callable[[], int]) -> None:
        self._model, self._hub, self._crowd = model, hub, crowd
        self.rows = 0  # evaluated for it and not yet told as wasted
        self.n_vocab, self.eos = model.n_vocab, model.eos
        self.grows = getattr(model, "grows", False)

    def logits(self, contexts: Sequence[Tokens]) -> Sequence[LogitRow]:
        """Wait for the batch of all proposals."""
        rows: Sequence[LogitRow] = self._hub.switch(Request(list(contexts)))
        return rows

    def weighed(self, contexts: Sequence[Tokens], temperature: float) -> Sequence[TokenDistribution]:
        """The same, weighed."""
        rows: Sequence[TokenDistribution] = self._hub.switch(Request(list(contexts), temperature))
        return rows

    def score(self, context: Tokens, continuation: Tokens) -> NDArray[np.float64]:
        """Not batched."""
        return self._model.score(context, continuation)

    def pin(self, context: Tokens) -> None:
        """The state is pinned by whoever proposes."""

    def cost(self, rows: int) -> float:
        """Beside the rows of the other proposals."""
        others = self._crowd() - 1
        return self._model.cost(others + rows) / self._model.cost(others + 1)

    def waste(self, rows: int) -> None:
        """As in `Model`."""
        self.rows -= rows
        self._model.waste(rows)


@dataclass(slots=True)
class _Live:
    task: greenlet
    view: _View
    wanted: Request | None = None
    reply: Sequence[Any] | None = None
    result: Any = None


def in_order(
    model: Model, tasks: Iterator[Task], rows: Rows, last: Callable[[Any], bool] = lambda _result: False
) -> Generator[Any, None, None]:
    """Results of the tasks in their order, as many of them in a batch as `rows` says. Closing it throws away the rest.

    A task begins as soon as there is a row for it; one that has none for a while goes on later. last: of a result, that
    none after it will be wanted: what is behind it ends at once.
    """
    from greenlet import getcurrent  # after llama.cpp, whose C++ library may be the newer one

    hub = getcurrent()
    queue: deque[_Live] = deque()
    more, wide = True, 1

    def crowd() -> int:
        return wide

    try:
        while True:
            while queue and queue[0].task.dead:
                yield queue.popleft().result
            ends = next((i for i, live in enumerate(queue) if live.task.dead and last(live.result)), None)
            if ends is not None:
                more = False
                _end(model, [queue.pop() for _ in range(len(queue) - ends - 1)])
            places = [place for place, live in enumerate(queue) if not live.task.dead]
            wide = max(rows(places, len(queue)), 1)
            if more and len(places) < wide:
                task = next(tasks, None)
                more = task is not None
                if task is not None:
                    queue.append(_begin(model, hub, task, crowd))
                    _advance(queue[-1])
                continue
            if not queue:
                return
            waiting = [queue[place] for place in places[:wide]]
            wide = len(waiting)
            replies = serve(model, [live.wanted for live in waiting if live.wanted is not None])
            for live, reply in zip(waiting, replies, strict=True):
                live.reply = reply
                live.view.rows += len(reply)
            for live in waiting:
                _advance(live)
    finally:
        _end(model, queue)


def _end(model: Model, unwanted: Iterable[_Live]) -> None:
    """Throw these away, and tell what they had."""
    wasted = 0
    for live in unwanted:
        live.task.throw()
        wasted += live.view.rows
    if wasted:
        model.waste(wasted)


def _begin(model: Model, hub: greenlet, task: Task, crowd: Callable[[], int]) -> _Live:
    view = _View(model, hub, crowd)

    from greenlet import greenlet

    def body() -> None:
        live.result = task(view)

    live = _Live(greenlet(body), view)
    return live


def _advance(live: _Live) -> None:
    """Let a task run to its next request or its end."""
    reply, live.reply, live.wanted = live.reply, None, None
    message = live.task.switch() if reply is None else live.task.switch(reply)
    if not live.task.dead:
        live.wanted = message
