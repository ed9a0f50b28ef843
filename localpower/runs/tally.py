"""What the events of one run add up to: its answers and what they cost. Results and the live view read this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from localpower.completion import Completion
from localpower.events import Adopted, Chosen, Event, Extended, Finished, Looked, Planned, Resampled, Stepped


@dataclass(frozen=True, slots=True)
class Tally:
    """members: the answers that the run holds at once, one for most samplers; shown: which of them is its answer.

    n_steps counts all steps, free ones (proposal = state) too, of all members. n_early: steps rejected before their
    proposal was complete. n_decoded: tokens drawn, rejected ones included. n_saved: tokens that proposals share with
    the state after the cut, not drawn again. planned: steps a stage within the budget.
    n_observed: tokens of observations that were read for draws and proposals.
    n_refused: steps whose proposal a verifier rejected. n_scored: tokens evaluated for their log p alone. adopted: the
    run began with an answer that it did not draw; that counts as its first draw.
    log_z: log of the estimated normaliser sum p^alpha, of a run that estimates it. first: tokens of the answer before
    the first step of a chain. n_first: tokens of the members' first draws, before any step. finish: "" while it runs.
    """

    members: tuple[Completion, ...] = (Completion(),)
    shown: int = 0
    n_steps: int = 0
    n_accepted: int = 0
    n_free: int = 0
    n_early: int = 0
    n_decoded: int = 0
    n_first: int = 0
    n_saved: int = 0
    n_observed: int = 0
    n_refused: int = 0
    n_scored: int = 0
    adopted: bool = False
    planned: int | None = None
    log_z: float | None = None
    first: int | None = None
    finish: str = ""

    @property
    def state(self) -> Completion:
        """The answer: the last accepted completion of the member that is shown."""
        return self.members[self.shown] if self.shown < len(self.members) else Completion()

    def add(self, event: Event) -> Tally:
        """The tally after one more event."""
        if isinstance(event, Extended):
            grown = self._member(event.member).head(event.kept).join(event.suffix)
            n = event.suffix.n_drawn
            return replace(
                self._with(event.member, grown),
                n_decoded=self.n_decoded + n,
                n_first=self.n_first + n,
                n_observed=self.n_observed + int(event.suffix.observed.sum()),
            )
        if isinstance(event, Adopted):
            n = event.suffix.n_drawn
            return replace(
                self._with(0, event.suffix), n_first=n, n_scored=self.n_scored + event.n_scored, adopted=True
            )
        if isinstance(event, Stepped):
            return self._stepped(event)
        if isinstance(event, Resampled):
            return self._resampled(event)
        if isinstance(event, Looked):
            return replace(self, n_decoded=self.n_decoded + event.n_dropped)
        if isinstance(event, Planned):
            return replace(self, planned=event.steps)
        if isinstance(event, Chosen):
            return replace(self, shown=event.member, log_z=event.log_z)
        if isinstance(event, Finished):
            return replace(self, finish=event.finish, n_decoded=self.n_decoded + event.n_dropped)
        return self

    @property
    def acceptance_rate(self) -> float | None:
        """Accepted moves over steps, free ones left out of both; None before the first."""
        moves = self.n_steps - self.n_free
        return self.n_accepted / moves if moves else None

    @property
    def plain_tokens(self) -> float:
        """Tokens of a plain answer: of the first draw, or the mean of the first draws of all members."""
        return self.n_first / len(self.members)

    def _member(self, index: int) -> Completion:
        return self.members[index] if index < len(self.members) else Completion()

    def _with(self, index: int, answer: Completion) -> Tally:
        members = [self._member(i) for i in range(max(index + 1, len(self.members)))]
        members[index] = answer
        return replace(self, members=tuple(members))

    def _stepped(self, event: Stepped) -> Tally:
        moved = event.accepted and not event.free
        before = self._member(event.member)
        after = before.head(event.cut).join(event.suffix) if moved else before
        return replace(
            self._with(event.member, after),
            first=len(self.state) if self.first is None else self.first,
            n_steps=self.n_steps + 1,
            n_accepted=self.n_accepted + moved,
            n_free=self.n_free + event.free,
            n_early=self.n_early + event.early,
            n_decoded=self.n_decoded + event.n_decoded,
            n_saved=self.n_saved + max(event.suffix.n_drawn - event.n_decoded, 0),
            n_observed=self.n_observed + _observed(event),
            n_refused=self.n_refused + event.refused,
            n_scored=self.n_scored + event.n_scored,
        )

    def _resampled(self, event: Resampled) -> Tally:
        """The heaviest particle is shown until one is chosen."""
        if event.parents is None:
            return replace(self, shown=max(range(len(event.log_w)), key=event.log_w.__getitem__))
        return replace(self, members=tuple(self._member(parent) for parent in event.parents), shown=0)


def _observed(event: Stepped) -> int:
    """Observation tokens of a proposal after it parted from the state."""
    if event.divergence is None:
        return 0
    return int(event.suffix.observed[event.divergence - event.cut :].sum())


def plain_tokens(runs: Sequence[Tally]) -> float:
    """Tokens of a plain answer, the mean over the runs: what budgets, summaries and the live view count against."""
    return sum(run.plain_tokens for run in runs) / len(runs)


def cost_multiple(runs: Sequence[Tally]) -> float | None:
    """Tokens that all the runs drew over those of a plain answer; None before the first."""
    plain = plain_tokens(runs)
    return sum(run.n_decoded for run in runs) / plain if plain else None


def plain_answer(runs: Sequence[Tally]) -> str:
    """Which answer that is, for the line that says what a run cost. Without steps the answer is the draw itself."""
    if runs[0].adopted:
        return "the expert's answer"
    if len(runs) > 1 or len(runs[0].members) > 1:
        return "the mean first draw"
    return "the first draw" if runs[0].n_steps else "the answer"
