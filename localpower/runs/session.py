"""One run of a sampler: K chains over one engine, told to listeners event by event."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np

from localpower.chance import Dice
from localpower.errors import Interrupted
from localpower.events import Event, Finished
from localpower.model import Tokens
from localpower.runs.gather import Engine, Run, gather
from localpower.runs.interrupt import Interrupts
from localpower.runs.pace import Pace
from localpower.runs.tally import Tally
from localpower.samplers import Sampler

_PICK = 1 << 31  # the key of the stream that picks one chain: no chain has this index


class OutOfTime(Exception):
    """The seconds of a budget are over."""


class Listener(Protocol):
    """Hears what happens; can change nothing."""

    def event(self, chain: int, event: Event) -> None:
        """An event of a chain."""

    def asked(self, chain: int, context: Tokens) -> None:
        """A chain asks for the token after `context`: a proposal is growing."""


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
    """Run chain i with `dice.spawn(i)`. An interrupt finishes every live chain with its last accepted state.

    pace: hears of every batch; once its seconds are over, every live chain ends in the same way, by `budget`.
    """
    listeners = list(listeners)
    tallies = [Tally() for _ in range(n_chains)]

    def chain(index: int) -> Run:
        return Run(prompt, lambda handle: sampler.run(handle, prompt, dice.spawn(index)))

    def check() -> None:
        if interrupts is not None:
            interrupts.check()
        if pace is not None and pace.out():
            raise OutOfTime

    def asked(index: int, context: Tokens) -> None:
        check()
        for listener in listeners:
            listener.asked(index, context)

    def tell(index: int, event: Event) -> None:
        tallies[index] = tallies[index].add(event)
        for listener in listeners:
            listener.event(index, event)

    try:
        for index, event in gather(engine, [chain(i) for i in range(n_chains)], asked, pace=pace):
            tell(index, event)
            check()  # free steps ask for nothing
    except (Interrupted, KeyboardInterrupt, OutOfTime) as end:  # the second Ctrl-C loses nothing either
        late = isinstance(end, OutOfTime)
        if interrupts is not None and not late:
            interrupts.close()
        for index, tally in enumerate(tallies):
            if not tally.finish:
                state = tally.state
                tell(index, Finished("budget" if late else "interrupted", len(state), state.total_log_p()))
    return tallies


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
