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
from localpower.runs.tally import Tally
from localpower.samplers import Sampler

_PICK = 1 << 31  # the key of the stream that picks one chain: no chain has this index


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
) -> list[Tally]:
    """Run chain i with `dice.spawn(i)`. An interrupt finishes every live chain with its last accepted state."""
    listeners = list(listeners)
    tallies = [Tally() for _ in range(n_chains)]

    def chain(index: int) -> Run:
        return lambda handle: sampler.run(handle, prompt, dice.spawn(index))

    def asked(index: int, context: Tokens) -> None:
        if interrupts is not None:
            interrupts.check()
        for listener in listeners:
            listener.asked(index, context)

    def tell(index: int, event: Event) -> None:
        tallies[index] = tallies[index].add(event)
        for listener in listeners:
            listener.event(index, event)

    try:
        for index, event in gather(engine, [chain(i) for i in range(n_chains)], asked):
            tell(index, event)
            if interrupts is not None:  # free steps ask for nothing
                interrupts.check()
    except (Interrupted, KeyboardInterrupt):  # the second Ctrl-C loses nothing either
        if interrupts is not None:
            interrupts.close()
        for index, tally in enumerate(tallies):
            if not tally.finish:
                state = tally.state
                tell(index, Finished("interrupted", len(state), state.total_log_p()))
    return tallies


def pick(tallies: list[Tally], how: str, dice: Dice) -> int:
    """Which chain answers: `logp` the most likely one, else one drawn uniformly (as exact as one chain)."""
    if how == "logp":
        return max(range(len(tallies)), key=lambda i: tallies[i].state.total_log_p())
    return dice.spawn(_PICK).pick(np.ones(len(tallies)))
