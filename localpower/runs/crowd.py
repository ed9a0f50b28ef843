"""Many runs, one batch: every live run's request is answered from one call of the model.

A sampler calls `model.logits` as if it were alone. Here each run lives in a greenlet; a call switches to the
hub, which waits until every live run has asked, decodes once, and hands each its rows. A run that ends leaves at
once, and another may take its place. In exact mode nobody's result depends on who else is in the batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from localpower.errors import EngineError
from localpower.events import Event
from localpower.model import LogitRow, Request, Tokens, split
from localpower.numerics import TokenDistribution, weigh_all

if TYPE_CHECKING:
    from greenlet import greenlet

    from localpower.runs.gather import Engine


class Run(NamedTuple):
    """A sampler about to answer a prompt: `start` begins it on the model as it sees it."""

    prompt: Tokens
    start: Callable[[Handle], Iterator[Event]]


Observer = Callable[[int, Tokens], None]


class Handle:
    """The model as one run sees it."""

    def __init__(
        self,
        engine: Engine,
        index: int,
        prompt_length: int,
        hub: greenlet,
        crowd: Callable[[], int],
        pins: int = 0,
        room: Callable[[], int] | None = None,
    ) -> None:
        self._engine, self._crowd, self._room = engine, crowd, room
        self._index, self.prompt_length, self._pins = index, prompt_length, pins
        self._hub = hub
        self._beside: list[Handle] = []
        self.n_vocab = engine.n_vocab
        self.eos = engine.eos
        self.grows = getattr(engine, "grows", False)

    def logits(self, contexts: Sequence[Tokens]) -> Sequence[LogitRow]:
        """Wait for the batch; the rows are valid until this run's next call."""
        rows: Sequence[LogitRow] = self._hub.switch(Request(list(contexts), None, self.prompt_length))
        return rows

    def weighed(self, contexts: Sequence[Tokens], temperature: float) -> Sequence[TokenDistribution]:
        """The same, weighed: those of all runs at once."""
        rows: Sequence[TokenDistribution] = self._hub.switch(
            Request(list(contexts), temperature, self.prompt_length)
        )
        return rows

    def score(self, context: Tokens, continuation: Tokens) -> NDArray[np.float64]:
        """Not batched: scoring is no part of a chain."""
        return self._engine.score(context, continuation)

    def cost(self, rows: int) -> float:
        """In rows' worth of a batch that all live runs wait for; infinite where there is no room for so many.

        What more rows take, each of the others waits for too: n runs pay n times. So who weighs what rows promise
        against this weighs the rows of all.
        """
        if rows > 1 and self._room is not None and rows > self._room():
            return math.inf
        live = self._crowd()
        longer = self._engine.cost(live - 1 + rows) / self._engine.cost(live)
        return 1.0 + live * (longer - 1.0)

    def waste(self, rows: int) -> None:
        """As in `Model`."""
        self._engine.waste(rows)

    def pin(self, context: Tokens) -> None:
        """This view's pin."""
        self._engine.pin(context, _owner(self._index, self._pins), self.prompt_length)

    def beside(self, prompt: Tokens, pins: int) -> Handle:
        """The same for contexts that begin with another prompt, as `model.beside` has it."""
        found = Handle(self._engine, self._index, len(prompt), self._hub, self._crowd, pins, self._room)
        self._beside.append(found)
        return found

    def move(self, engine: Engine) -> None:
        """Another engine of the same model from now on."""
        self._engine = engine
        for each in self._beside:
            each.move(engine)


def _own(row: LogitRow | TokenDistribution) -> LogitRow | TokenDistribution:
    if isinstance(row, TokenDistribution):
        return row._replace(row=row.row.copy())
    return row.copy()


_PINS = 3  # a run's own, and those of views beside it


def _owner(index: int, pins: int) -> int:
    """Who a pin of run `index` belongs to: a number of its own for each pin, the runs' own first."""
    return index if pins == 0 else -(_PINS * index + pins)


class Crowd:
    """Runs that share an engine, and that may come and go between two batches.

    watch(index, context): of every context that a run asks for: the tail being written. heard(requests): what all runs
    ask for, just before it is evaluated. failed(index, error): a run raised and is gone; None: the error passes on.
    room(index): rows that a run may have in a batch at most, where more than it must have are its choice; None: any.
    An error of the engine passes on and loses nothing: the next `turn` asks for the same again.
    """

    def __init__(
        self,
        engine: Engine,
        watch: Observer = lambda _index, _context: None,
        heard: Callable[[Mapping[int, Request]], None] = lambda _: None,
        failed: Callable[[int, Exception], None] | None = None,
        room: Callable[[int], int] | None = None,
    ) -> None:
        from greenlet import getcurrent  # after llama.cpp, whose C++ library may be the newer one

        self._engine, self._watch, self._heard, self._failed, self._room = engine, watch, heard, failed, room
        self._hub = getcurrent()
        self._tasks: dict[int, greenlet] = {}
        self._handles: dict[int, Handle] = {}
        self._wanted: dict[int, Request] = {}
        self._replies: dict[int, Sequence[Any]] = {}

    def __len__(self) -> int:
        """How many runs are live."""
        return len(self._tasks)

    def admit(self, index: int, run: Run) -> None:
        """A run takes part from the next turn on."""
        from greenlet import greenlet

        room = None if self._room is None else partial(self._room, index)
        handle = Handle(self._engine, index, len(run.prompt), self._hub, self.__len__, room=room)

        def body() -> None:
            try:
                for event in run.start(handle):
                    self._hub.switch(event)
            except Exception as error:
                if self._failed is None:
                    raise
                self._failed(index, error)

        self._tasks[index], self._handles[index] = greenlet(body), handle

    def drop(self, index: int) -> None:
        """A run ends where it is; what it had accepted was told in its events."""
        task = self._tasks.pop(index)
        self._wanted.pop(index, None)
        self._replies.pop(index, None)
        try:
            task.throw()  # GreenletExit: unwind
        finally:
            self._forget(index)

    def settle(self) -> None:
        """Copy the rows that no run has read yet: until then they are views of the engine, which may go now."""
        for index, reply in self._replies.items():
            self._replies[index] = [_own(row) for row in reply]

    def move(self, engine: Engine) -> None:
        """Go on with another engine of the same model; `settle` comes before the first one ends.

        What is pinned is pinned there when it is next.
        """
        self._engine = engine
        for handle in self._handles.values():
            handle.move(engine)

    def turn(self) -> Iterator[tuple[int, Event]]:
        """Advance every run to what it asks for next, yielding (index, event) on the way; then evaluate all of it."""
        for index in [each for each in self._tasks if each not in self._wanted]:
            yield from self._resume(index)
        if self._wanted:
            self._heard(self._wanted)
            self._answer(self._wanted)

    def apart(self) -> dict[int, EngineError]:
        """Evaluate what is asked for run by run, where all of it together failed; the errors of those that fail so."""
        failed: dict[int, EngineError] = {}
        for index, wanted in list(self._wanted.items()):
            try:
                self._answer({index: wanted})
            except EngineError as error:
                failed[index] = error
        return failed

    def close(self) -> None:
        """End all runs."""
        for index in list(self._tasks):
            self.drop(index)

    def _resume(self, index: int) -> Iterator[tuple[int, Event]]:
        task = self._tasks.get(index)
        if task is None:  # dropped while another was heard of
            return
        message: Any = task.switch(self._replies.pop(index)) if index in self._replies else task.switch()
        while not task.dead and not isinstance(message, Request):
            yield index, message
            if index not in self._tasks:
                return
            message = task.switch()
        if task.dead:
            del self._tasks[index]
            self._forget(index)
        else:
            self._wanted[index] = message
            self._watch(index, message.contexts[0])  # of several proposals the one that is decided next

    def _answer(self, wanted: Mapping[int, Request]) -> None:
        """One call of the engine for these, who then wait no more."""
        rows = self._engine.logits(
            [context for asked in wanted.values() for context in asked.contexts],
            [
                asked.prompt_length or self._handles[index].prompt_length
                for index, asked in wanted.items()
                for _ in asked.contexts
            ],
        )
        each = [asked.temperature for asked in wanted.values() for _ in asked.contexts]
        found = split(weigh_all(rows, each), list(wanted.values()))
        for index, reply in zip(list(wanted), found, strict=True):
            self._replies[index] = reply
            del self._wanted[index]

    def _forget(self, index: int) -> None:
        del self._handles[index]
        for pins in range(_PINS):
            self._engine.unpin(_owner(index, pins))
