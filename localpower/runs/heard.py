"""What a run said, kept in memory for questions that come after it."""

from __future__ import annotations

from localpower.events import Event
from localpower.model import Tokens
from localpower.runs.diagnosis import Diagnosis


class Heard:
    """A listener: the events of each chain, and the diagnosis of all. picked: the chain whose answer counts."""

    def __init__(self, max_tokens: int, n_chains: int) -> None:
        self.chains: list[list[Event]] = [[] for _ in range(n_chains)]
        self.picked = 0
        self.diagnosis = Diagnosis(max_tokens, n_chains)

    def event(self, chain: int, event: Event) -> None:
        """As a listener."""
        self.diagnosis.event(chain, event)
        self.chains[chain].append(event)

    def asked(self, chain: int, context: Tokens) -> None:
        """Requests are no events."""
