"""Many runs, one batch: every live run's request is answered from one call of the model.

A sampler calls `model.logits` as if it were alone. Here each run lives in a greenlet; a call switches to the
hub, which waits until every live run has asked, decodes once, and hands each its rows. A run that ends leaves at
once, and the next one takes its place. In exact mode nobody's result depends on who else is in the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from localpower.events import Event
from localpower.model import LogitRow, Request, Tokens, split
from localpower.numerics import TokenDistribution, weigh_all
from localpower.runs.pace import Pace

if TYPE_CHECKING:
    from greenlet import greenlet


class Engine(Protocol):
    """A model that many runs share: `pin` is kept by owner."""

    @property
    def n_vocab(self) -> int:
        """Length of a row of logits."""

    @property
    def eos(self) -> frozenset[int]:
        """Every token that ends an answer."""

    def logits(
        self, contexts: Sequence[Tokens], prompt_lengths: Sequence[int] | None = None
    ) -> Sequence[LogitRow]:
        """As in `Model`. prompt_lengths: how many tokens of each context are its prompt; None: of its own prompt."""

    def score(self, context: Tokens, continuation: Tokens) -> NDArray[np.float64]:
        """As in `Model`."""

    def rows(self, context: Tokens, continuation: Tokens) -> Iterator[LogitRow]:
        """The rows that predict each token of `continuation`, evaluated afresh; each valid until the next."""

    def pin(self, context: Tokens, owner: object = None, prompt_length: int | None = None) -> None:
        """As in `Model`, one pin an owner."""

    def unpin(self, owner: object) -> None:
        """The owner is gone."""

    def cost(self, rows: int) -> float:
        """What a batch of so many rows costs, over a lone row."""

    def waste(self, rows: int) -> None:
        """As in `Model`."""

    def watch(self, progress: Callable[[int, int], None]) -> None:
        """`progress(done, total)` hears how much of a prompt is read, batch by batch; it must not raise."""


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
    ) -> None:
        self._engine, self._crowd = engine, crowd
        self._index, self._prompt_length, self._pins = index, prompt_length, pins
        self._hub = hub
        self.n_vocab = engine.n_vocab
        self.eos = engine.eos
        self.grows = getattr(engine, "grows", False)

    def logits(self, contexts: Sequence[Tokens]) -> Sequence[LogitRow]:
        """Wait for the batch; the rows are valid until this run's next call."""
        rows: Sequence[LogitRow] = self._hub.switch(Request(list(contexts), None, self._prompt_length))
        return rows

    def weighed(self, contexts: Sequence[Tokens], temperature: float) -> Sequence[TokenDistribution]:
        """The same, weighed: those of all runs at once."""
        rows: Sequence[TokenDistribution] = self._hub.switch(
            Request(list(contexts), temperature, self._prompt_length)
        )
        return rows

    def score(self, context: Tokens, continuation: Tokens) -> NDArray[np.float64]:
        """Not batched: scoring is no part of a chain."""
        return self._engine.score(context, continuation)

    def cost(self, rows: int) -> float:
        """Beside the rows of the other live runs."""
        others = self._crowd() - 1
        return self._engine.cost(others + rows) / self._engine.cost(others + 1)

    def waste(self, rows: int) -> None:
        """As in `Model`."""
        self._engine.waste(rows)

    def pin(self, context: Tokens) -> None:
        """This view's pin."""
        self._engine.pin(context, _owner(self._index, self._pins), self._prompt_length)

    def beside(self, prompt: Tokens, pins: int) -> Handle:
        """The same for contexts that begin with another prompt, as `model.beside` has it."""
        return Handle(self._engine, self._index, len(prompt), self._hub, self._crowd, pins)


_PINS = 3  # a run's own, and those of views beside it


def _owner(index: int, pins: int) -> int:
    """Who a pin of run `index` belongs to: a number of its own for each pin, the runs' own first."""
    return index if pins == 0 else -(_PINS * index + pins)


def gather(
    engine: Engine,
    runs: Iterable[Run],
    watch: Observer = lambda _index, _context: None,
    *,
    at_once: int | None = None,
    pace: Pace | None = None,
) -> Iterator[tuple[int, Event]]:
    """Advance runs together, yielding (index, event) as events happen; at_once: most that are live, None: all.

    pace: hears of every batch. A run is taken from `runs` when there is room for it. watch(index, context) hears of
    every context a run asks for: the tail being written. An exception from the engine or the consumer ends all runs
    and passes on.
    """
    from greenlet import getcurrent, greenlet  # after llama.cpp, whose C++ library may be the newer one

    hub = getcurrent()

    def live(run: Run, index: int) -> Callable[[], None]:
        def body() -> None:
            for event in run.start(Handle(engine, index, len(run.prompt), hub, lambda: len(tasks))):
                hub.switch(event)

        return body

    def unpin(index: int) -> None:
        for pins in range(_PINS):
            engine.unpin(_owner(index, pins))

    waiting = enumerate(runs)
    tasks: dict[int, greenlet] = {}
    prompt_lengths: dict[int, int] = {}
    replies: dict[int, Sequence[Any]] = {}
    try:
        while True:
            room = None if at_once is None else at_once - len(tasks)
            for index, run in islice(waiting, room):
                tasks[index], prompt_lengths[index] = greenlet(live(run, index)), len(run.prompt)
            if not tasks:
                break
            wanted: dict[int, Request] = {}
            for index, task in list(tasks.items()):
                message: Any = task.switch(replies.pop(index)) if index in replies else task.switch()
                while not task.dead and not isinstance(message, Request):
                    yield index, message
                    message = task.switch()
                if task.dead:
                    del tasks[index]
                    unpin(index)
                else:
                    wanted[index] = message
                    watch(index, message.contexts[0])  # of several proposals the one that is decided next
            if wanted:
                if pace is not None:
                    pace.batch(sum(len(asked.contexts) for asked in wanted.values()))
                rows = engine.logits(
                    [context for asked in wanted.values() for context in asked.contexts],
                    [
                        asked.prompt_length or prompt_lengths[index]
                        for index, asked in wanted.items()
                        for _ in asked.contexts
                    ],
                )
                each = [asked.temperature for asked in wanted.values() for _ in asked.contexts]
                found = split(weigh_all(rows, each), list(wanted.values()))
                replies = dict(zip(wanted, found, strict=True))
    finally:
        for index, task in tasks.items():
            task.throw()  # GreenletExit: unwind; what a run had accepted was told in its events
            unpin(index)
