"""What the events of one chain add up to: its state and what it cost. Results and the live view read this."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from localpower.completion import Completion
from localpower.events import Event, Extended, Finished, Stepped


@dataclass(frozen=True, slots=True)
class Tally:
    """state: the last accepted completion. n_steps counts all steps, free ones (proposal = state) too.

    n_early: steps rejected before their proposal was complete. n_decoded: tokens drawn, rejected ones included.
    n_saved: tokens that proposals share with the state after the cut, not drawn again (of several
    tries a lower bound). finish: "" while the chain runs.
    """

    state: Completion = field(default_factory=Completion)
    n_steps: int = 0
    n_accepted: int = 0
    n_free: int = 0
    n_early: int = 0
    n_decoded: int = 0
    n_saved: int = 0
    finish: str = ""

    def add(self, event: Event) -> Tally:
        """The tally after one more event."""
        if isinstance(event, Extended):
            return replace(
                self,
                state=self.state.head(event.kept).join(event.suffix),
                n_decoded=self.n_decoded + event.suffix.n_drawn,
            )
        if isinstance(event, Stepped):
            moved = event.accepted and not event.free
            return replace(
                self,
                state=self.state.head(event.cut).join(event.suffix) if moved else self.state,
                n_steps=self.n_steps + 1,
                n_accepted=self.n_accepted + moved,
                n_free=self.n_free + event.free,
                n_early=self.n_early + event.early,
                n_decoded=self.n_decoded + event.n_decoded,
                n_saved=self.n_saved + max(event.suffix.n_drawn - event.n_decoded, 0),
            )
        if isinstance(event, Finished):
            return replace(self, finish=event.finish)
        return self

    @property
    def acceptance_rate(self) -> float | None:
        """Accepted moves over steps, free ones left out of both; None before the first."""
        moves = self.n_steps - self.n_free
        return self.n_accepted / moves if moves else None
