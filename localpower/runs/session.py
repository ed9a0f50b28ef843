"""One run of a sampler: K chains over one engine, told to listeners event by event."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from typing import Protocol

import numpy as np

from localpower.chance import Dice
from localpower.errors import Interrupted
from localpower.events import Event, Finished
from localpower.model import Tokens
from localpower.runs.gather import Engine, Observer, Run, gather
from localpower.runs.interrupt import Interrupts
from localpower.runs.pace import Pace
from localpower.runs.tally import Tally
from localpower.samplers import Sampler

Events = Generator[tuple[int, Event], None, None]
_PICK = 1 << 31  # the key of the stream that picks one chain: no chain has this index


class OutOfTime(Exception):
    """The seconds of a budget are over."""


class Listener(Protocol):
    """Hears what happens; can change nothing."""

    def event(self, chain: int, event: Event) -> None:
        """An event of a chain."""

    def asked(self, chain: int, context: Tokens) -> None:
        """A chain asks for the token after `context`: a proposal is growing. Most listeners do not mind."""
        return


class ChainRun:
    """K chains to be run once; chain i has `dice.spawn(i)`. `tallies` says how far each has come.

    pace: hears of every batch; once its seconds are over, every live chain ends with its last accepted state, by
    `budget`. An interrupt ends them in the same way, by `interrupted`; without
    `interrupts` to tell of it, it is raised then.
    """

    def __init__(
        self,
        engine: Engine,
        sampler: Sampler,
        prompt: Tokens,
        dice: Dice,
        n_chains: int,
        interrupts: Interrupts | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.tallies = [Tally() for _ in range(n_chains)]
        self._engine, self._interrupts, self._pace = engine, interrupts, pace

        def chain(index: int) -> Run:
            return Run(prompt, lambda handle: sampler.run(handle, prompt, dice.spawn(index)))

        self._runs = [chain(i) for i in range(n_chains)]

    def events(self, watch: Observer = lambda _index, _context: None) -> Events:
        """Each event with its chain's number. watch: hears of every context that a chain asks for."""

        def asked(index: int, context: Tokens) -> None:
            self._check()
            watch(index, context)

        try:
            for index, event in gather(self._engine, self._runs, asked, pace=self._pace):
                self.tallies[index] = self.tallies[index].add(event)
                yield index, event
                self._check()  # free steps ask for nothing
        except GeneratorExit:  # whoever listened has left
            for index, tally in enumerate(self.tallies):
                if not tally.finish:
                    self.tallies[index] = tally.add(self._ended("interrupted", tally))
            raise
        except (Interrupted, KeyboardInterrupt, OutOfTime) as end:  # the second Ctrl-C loses nothing either
            late = isinstance(end, OutOfTime)
            if self._interrupts is not None and not late:
                self._interrupts.close()
            for index, tally in enumerate(self.tallies):
                if not tally.finish:
                    event = self._ended("budget" if late else "interrupted", tally)
                    self.tallies[index] = tally.add(event)
                    yield index, event
            if self._interrupts is None and not late:  # nobody else hears of it
                raise

    @staticmethod
    def _ended(finish: str, tally: Tally) -> Finished:
        return Finished(finish, len(tally.state), tally.state.total_log_p())

    def _check(self) -> None:
        if self._interrupts is not None:
            self._interrupts.check()
        if self._pace is not None and self._pace.out():
            raise OutOfTime


def run_chains(
    engine: Engine,
    sampler: Sampler,
    prompt: Tokens,
    dice: Dice,
    n_chains: int,
    *,
    listeners: Iterable[Listener] = (),
    interrupts: Interrupts | None = None,
    pace: Pace | None = None,
) -> list[Tally]:
    """Run chains to their end, telling listeners."""
    run = ChainRun(engine, sampler, prompt, dice, n_chains, interrupts, pace)
    tell(run.events, listeners)
    return run.tallies


def tell(start: Callable[[Observer], Events], listeners: Iterable[Listener]) -> None:
    """Run events to their end, telling listeners of each and of every context that is asked for.

    A KeyboardInterrupt that meets a listener ends the run as one that meets the engine does.
    """
    listeners = list(listeners)

    def watch(index: int, context: Tokens) -> None:
        for listener in listeners:
            listener.asked(index, context)

    with closing(start(watch)) as events:
        item, stopped = next(events, None), False
        while item is not None:
            try:
                for listener in listeners:
                    listener.event(*item)
                item = next(events, None)
            except KeyboardInterrupt as stop:
                if stopped:
                    raise
                stopped = True
                try:
                    item = events.throw(stop)
                except StopIteration:
                    return


def pick(tallies: list[Tally], how: str, dice: Dice) -> int:
    """Which chain answers: `logp` the most likely one, else one drawn uniformly (as exact as one chain).

    Runs that estimate the normaliser are drawn by it: so several runs of a few particles are one of many.
    """
    if how == "logp":
        return max(range(len(tallies)), key=lambda i: tallies[i].state.total_log_p())
    log_z = [tally.log_z for tally in tallies]
    known = np.array([value for value in log_z if value is not None])
    weights = np.exp(known - known.max()) if len(known) == len(log_z) else np.ones(len(tallies))
    return dice.spawn(_PICK).pick(weights)
