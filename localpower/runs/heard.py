"""Listeners that show nothing: one keeps what a run said for questions that come after it, one hands it on."""

from __future__ import annotations

from collections.abc import Callable

from localpower.events import Event
from localpower.runs.diagnosis import Diagnosis
from localpower.runs.session import Listener


class Heard(Listener):
    """A listener: the events of each chain, and the diagnosis of all. picked: the chain whose answer counts."""

    def __init__(self, max_tokens: int, n_chains: int) -> None:
        self.chains: list[list[Event]] = [[] for _ in range(n_chains)]
        self.picked = 0
        self.diagnosis = Diagnosis(max_tokens, n_chains)

    def event(self, chain: int, event: Event) -> None:
        """As a listener."""
        self.diagnosis.event(chain, event)
        self.chains[chain].append(event)


class Forwarded(Listener):
    """A listener that gives each event to a function of (chain, event)."""

    def __init__(self, on_event: Callable[[int, Event], None]) -> None:
        self._on_event = on_event

    def event(self, chain: int, event: Event) -> None:
        """As a listener."""
        self._on_event(chain, event)
