"""What a run said, kept in memory for questions that come after it."""

from __future__ import annotations

from localpower.events import Event
from localpower.model import Tokens
from localpower.runs.diagnosis import Diagnosis


class Heard:
    """A listener: the events of chain 0, and the diagnosis of all."""

    def __init__(self, max_tokens: int, n_chains: int) -> None:
        self.events: list[Event] = []
        self.diagnosis = Diagnosis(max_tokens, n_chains)

    def event(self, chain: int, event: Event) -> None:
        """As a listener."""
        self.diagnosis.event(chain, event)
        if chain == 0:
            self.events.append(event)

    def asked(self, chain: int, context: Tokens) -> None:
        """Requests are no events."""
