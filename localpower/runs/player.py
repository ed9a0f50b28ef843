"""Plays a recorded run to a listener, at its own speed or another. Growing proposals are shown token by token."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import cast

from localpower.completion import Completion
from localpower.events import Extended, Stepped
from localpower.model import Growing, Tokens
from localpower.runs.session import Listener
from localpower.runs.tally import Tally
from localpower.runs.trace import Trace

_SLICE_S = 0.1


class Player:
    """The clock of a recording: seconds since the run began, as far as it has been played."""

    def __init__(self, trace: Trace, speed: float, wait: Callable[[float], None] = time.sleep) -> None:
        """speed: recorded seconds a second; infinity does not wait."""
        self._trace = trace
        self._speed = speed
        self._wait = wait
        self.seconds = 0.0

    def play(self, listener: Listener, check: Callable[[], None] = lambda: None) -> list[Tally]:
        """Tell every event in time; the tallies at the end. `check` runs often and may raise."""
        tallies = [Tally() for _ in range(self._trace.started.n_chains)]
        for moment in self._trace.moments:
            event, tally = moment.event, tallies[moment.chain]
            if isinstance(event, Extended | Stepped):
                kept = event.kept if isinstance(event, Extended) else event.cut
                known = tally.members[event.member] if event.member < len(tally.members) else Completion()
                before, tokens = known.head(kept).tokens, event.suffix.tokens
                begin = self.seconds
                text = [*self._trace.started.prompt, *before]
                for i, token in enumerate(tokens):
                    listener.asked(moment.chain, cast("Tokens", Growing(text)))
                    text.append(token)
                    self._until(begin + (moment.seconds - begin) * (i + 1) / len(tokens), check)
            self._until(moment.seconds, check)
            listener.event(moment.chain, event)
            tallies[moment.chain] = tallies[moment.chain].add(event)
        return tallies

    def _until(self, seconds: float, check: Callable[[], None]) -> None:
        check()
        while (
            pause := (seconds - self.seconds) / self._speed
        ) > _SLICE_S:  # Ctrl-C must not wait for the end of it
            self._wait(_SLICE_S)
            self.seconds += _SLICE_S * self._speed
            check()
        if pause > 0:
            self._wait(pause)
        self.seconds = max(self.seconds, seconds)
