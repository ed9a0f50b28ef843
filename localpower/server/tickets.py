"""A request among others: what it asks, whom it is told to, and how far each of its answers has come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from localpower.api.question import Question
from localpower.chance import StreamDice
from localpower.errors import UserError
from localpower.events import Event
from localpower.runs.answer import Answer
from localpower.runs.crowd import Handle, Run
from localpower.runs.tally import Tally
from localpower.server.tops import Tops

MOST_SEED = 2**64


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of a choice."""

    choice: int
    event: Event
    tally: Tally


@dataclass(frozen=True, slots=True)
class Done:
    """A choice's answer."""

    choice: int
    answer: Answer
    tally: Tally


@dataclass(frozen=True, slots=True)
class Lost:
    """Why a choice has none."""

    choice: int
    error: Exception


Item = Happened | Done | Lost
Hearer = Callable[[Item], None]  # in the thread of the engine; must not wait


class Busy(UserError):
    """The queue is full. after: seconds after which another try makes sense."""

    def __init__(self, after: int) -> None:
        super().__init__("too many requests wait for this server", f"try again in {after} s")
        self.after = after


class Closing(UserError):
    """The server is being stopped."""

    def __init__(self) -> None:
        super().__init__("this server is being stopped", "ask again when it runs")


class Late(UserError):
    """A request waited as long as a request may take."""


@dataclass(eq=False, slots=True)
class Ticket:
    """A request. questions: one for each answer, with its own pace; answer i has the seed + i. deadline: of the clock.

    top: how many of the likeliest tokens are kept at each place; None: nobody wants log-probabilities.
    """

    questions: tuple[Question, ...]
    seed: int
    hearer: Hearer
    deadline: float
    top: int | None = None
    cancelled: bool = False
    jobs: tuple[Job, ...] = ()

    def __post_init__(self) -> None:
        """Make a job of each question."""
        seeds = ((self.seed + i) % MOST_SEED for i in range(len(self.questions)))
        self.jobs = tuple(
            Job(self, i, question, seed)
            for i, (question, seed) in enumerate(zip(self.questions, seeds, strict=True))
        )


@dataclass(eq=False, slots=True)
class Job:
    """One answer of a request. began: when its run did, by the clock. note: why it was ended by the server."""

    ticket: Ticket
    choice: int
    question: Question
    seed: int
    tally: Tally = field(default_factory=Tally)
    began: float = 0.0
    tops: Tops | None = None
    note: str = ""

    def __post_init__(self) -> None:
        """Keep the likeliest tokens where they are wanted."""
        if self.ticket.top is not None:
            self.tops = Tops(self.question.prompt, self.ticket.top)

    @property
    def rows(self) -> int:
        """Those that it must have in a batch; a prefetch takes what others leave."""
        sampler = self.question.sampler
        if getattr(sampler, "prefetch", 1) > 1:
            sampler = replace(sampler, prefetch=1)  # type: ignore[type-var]
        return sampler.width

    def run(self) -> Run:
        """As chain 0 of `run --seed`."""
        sampler, prompt, dice = self.question.sampler, self.question.prompt, StreamDice(self.seed).spawn(0)

        def start(handle: Handle) -> Iterator[Event]:
            if self.tops is not None:
                return self.tops.run(sampler, handle, dice)
            return sampler.run(handle, prompt, dice)

        return Run(prompt, start)
