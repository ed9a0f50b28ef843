"""What many runs share: an engine, and the loop that advances them all until the last has ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Protocol

from localpower.events import Event
from localpower.model import LogitRow, Model, Request, Tokens
from localpower.runs.crowd import Crowd, Handle, Observer, Run
from localpower.runs.pace import Pace

__all__ = ["Crowd", "Engine", "Handle", "Observer", "Run", "gather"]


class Engine(Model, Protocol):
    """A model that many runs share: `pin` is kept by owner."""

    def logits(
        self, contexts: Sequence[Tokens], prompt_lengths: Sequence[int] | None = None
    ) -> Sequence[LogitRow]:
        """As in `Model`. prompt_lengths: how many tokens of each context are its prompt; None: of its own prompt."""

    def rows(self, context: Tokens, continuation: Tokens) -> Iterator[LogitRow]:
        """The rows that predict each token of `continuation`, evaluated afresh; each valid until the next."""

    def pin(self, context: Tokens, owner: object = None, prompt_length: int | None = None) -> None:
        """As in `Model`, one pin an owner."""

    def unpin(self, owner: object) -> None:
        """The owner is gone."""

    def watch(self, progress: Callable[[int, int], None]) -> None:
        """`progress(done, total)` hears how much of a prompt is read, batch by batch; it must not raise."""


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

    def heard(wanted: Mapping[int, Request]) -> None:
        if pace is not None:
            pace.batch(sum(len(asked.contexts) for asked in wanted.values()))

    crowd, waiting = Crowd(engine, watch, heard), enumerate(runs)
    try:
        while True:
            for index, run in islice(waiting, None if at_once is None else at_once - len(crowd)):
                crowd.admit(index, run)
            if not crowd:
                break
            yield from crowd.turn()
    finally:
        crowd.close()
