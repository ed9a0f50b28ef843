"""The one thread that owns the engine: it takes requests from a queue into the batch, and ends those that are over.

Between two decodes runs join and leave, so a newcomer waits for no one's end and a client that has left frees its rows
at once. In exact mode an answer does not depend on who else is served: each is that of `run` with the same seed.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from localpower.api.answer_run import described
from localpower.errors import EngineError
from localpower.events import Event, Finished
from localpower.loaded import Loaded
from localpower.model import Request, Tokens
from localpower.runs.crowd import Crowd
from localpower.runs.gather import Engine
from localpower.server.desk import Desk
from localpower.server.settings import Limits
from localpower.server.tickets import Closing, Done, Happened, Job, Late, Lost

Watcher = Callable[[Job, Event | None, Tokens], None]
_FIRST_CELLS = 1024  # tokens of a row that there is room for from the first request on


class _Attention(Exception):
    """Somebody has left or is over: look before the next decode."""


@dataclass(slots=True)
class Counts:
    """What was done since the start."""

    prompt_tokens: int = 0
    answer_tokens: int = 0
    decoded_tokens: int = 0
    batches: int = 0
    rows: int = 0
    steps: int = 0
    accepted: int = 0
    answers: int = 0
    cancelled: int = 0
    over: int = 0
    failed: int = 0


class Scheduler:
    """Requests to a loaded model. clock: seconds."""

    def __init__(self, loaded: Loaded, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.loaded, self.limits, self.clock = loaded, limits, clock
        self.desk = Desk(limits, clock)
        self.counts = Counts()
        self._live: dict[int, Job] = {}
        self._next = 0
        self._making = False
        self._watchers: tuple[Watcher, ...] = ()
        self._engine: Engine | None = None
        self._crowd: Crowd | None = None
        self._thread = threading.Thread(target=self._loop, name="engine", daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def join(self) -> None:
        """Wait until the last answer is told, once the desk is closed."""
        if self._thread.is_alive():
            self._thread.join()

    @property
    def live(self) -> tuple[Job, ...]:
        """What is being drawn."""
        return tuple(self._live.copy().values())

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Tell somebody of every event, and of every tail that is being written; the call that ends it is returned."""
        self._watchers = (*self._watchers, watcher)

        def end() -> None:
            self._watchers = tuple(each for each in self._watchers if each is not watcher)

        return end

    # Everything below runs in the thread of the engine.

    def _loop(self) -> None:
        while self._tidy():
            crowd = self._crowd
            assert crowd is not None
            try:
                for index, event in crowd.turn():
                    self._event(index, event)
            except _Attention:
                continue
            except EngineError:
                self._recover(crowd)
            except Exception as error:  # a bug: it costs those who were in the batch, and nobody else
                self._lose_all(error)
        self._drop_engine()

    def _tidy(self) -> bool:
        """End what is over, admit who waits; waits itself while there is nothing to draw. False: all is over."""
        while True:
            self.desk.heed()
            self._expire()
            self._admit()
            if self._live:
                return True
            if not self.desk.wait():
                return False

    def _expire(self) -> None:
        now, closing = self.clock(), self.desk.closing
        late = f"the server's limit of {self.limits.seconds:g} s"
        for index, job in list(self._live.items()):
            if job.ticket.cancelled:
                self._leave(index)
                self.counts.cancelled += 1
            elif job.question.pace.out():
                self._end(index, "budget", "")
            elif now > job.ticket.deadline:
                self._end(index, "budget", f"{late} ended this run")
            elif closing is not None and now > closing:
                self._end(index, "interrupted", "the server was stopped")
        gone, over = self.desk.gone()
        self.counts.cancelled += gone
        for job in over:
            self._fail(job, Late(f"{late} was over before this run began") if closing is None else Closing())

    def _admit(self) -> None:
        while job := self.desk.take(self.limits.rows - sum(each.rows for each in self._live.values())):
            try:
                self._make_room(job)
            except Exception as error:
                self._fail(job, error)
                continue
            assert self._crowd is not None
            index, self._next = self._next, self._next + 1
            self._live[index] = job
            job.began = self.clock()
            job.question.pace.start(job.question.seconds)
            self.counts.prompt_tokens += len(job.question.prompt)
            self._crowd.admit(index, job.run())
            self._tell(job, None, ())
        self.desk.rows_busy = sum(job.rows for job in self._live.values())

    def _make_room(self, job: Job) -> None:
        """An engine in which the job fits beside all others. It grows and never shrinks."""
        rows, question = self.limits.rows, job.question
        least = _FIRST_CELLS if self.loaded.n_ctx is None else min(_FIRST_CELLS, self.loaded.n_ctx)
        horizon = max(question.options.max_tokens, least - len(question.prompt))
        if self._crowd is not None:
            self._crowd.settle()  # a larger engine takes the place of this one
        self._making = True
        try:
            engine = self.loaded.engine(question.prompt, horizon, rows, self._check, self._engine, rows, rows)
        finally:
            self._making = False
        if engine is not self._engine or self._crowd is None:
            self._engine = engine
            if self._crowd is None:
                self._crowd = Crowd(engine, self._asked, self._batch, self._failed, self._room)
            else:
                self._crowd.move(engine)

    def _check(self) -> None:
        """Before every decode, those that only read a prompt too."""
        if self._making:
            return
        now = self.clock()
        over = self.desk.closing is not None and now > self.desk.closing
        if self.desk.attention or over or any(map(self._over, self._live.values())):
            raise _Attention

    def _over(self, job: Job) -> bool:
        return self.clock() > job.ticket.deadline or job.question.pace.out()

    def _room(self, index: int) -> int:
        """Rows that a run may take: those it must have, and its share of what all leave."""
        left = self.limits.rows - sum(job.rows for job in self._live.values())
        return self._live[index].rows + left // len(self._live)

    def _batch(self, wanted: Mapping[int, Request]) -> None:
        self.counts.batches += 1
        for index, asked in wanted.items():
            self.counts.rows += len(asked.contexts)
            self._live[index].question.pace.batch(len(asked.contexts))

    def _asked(self, index: int, context: Tokens) -> None:
        if self._watchers:
            self._tell(self._live[index], None, context)

    def _tell(self, job: Job, event: Event | None, context: Tokens) -> None:
        for watcher in self._watchers:
            watcher(job, event, context)

    def _event(self, index: int, event: Event) -> None:
        job = self._live[index]
        before, job.tally = job.tally, job.tally.add(event)
        self.counts.decoded_tokens += job.tally.n_decoded - before.n_decoded
        self.counts.steps += job.tally.n_steps - before.n_steps
        self.counts.accepted += job.tally.n_accepted - before.n_accepted
        self._tell(job, event, ())
        job.ticket.hearer(Happened(job.choice, event, job.tally))
        if job.tally.finish:
            self._deliver(index)

    def _leave(self, index: int) -> Job:
        """A run is live no more."""
        assert self._crowd is not None
        self._crowd.drop(index)
        return self._live.pop(index)

    def _end(self, index: int, finish: str, note: str) -> None:
        """End a run with its current state."""
        self.counts.over += 1
        job = self._live[index]
        job.note = note
        self._event(index, Finished(finish, len(job.tally.state), job.tally.state.total_log_p()))

    def _deliver(self, index: int) -> None:
        job = self._leave(index)
        seconds = self.clock() - job.began
        assert self._engine is not None
        answer = described(
            *(self.loaded, job.question, job.seed, [job.tally], seconds, self._engine.cost),
            notes=[job.note] if job.note else (),
        )
        self.desk.took(seconds)
        self.counts.answers += 1
        self.counts.answer_tokens += answer.n_tokens
        job.ticket.hearer(Done(job.choice, answer, job.tally))

    def _failed(self, index: int, error: Exception) -> None:
        """A run raised; the others go on."""
        self._fail(self._live.pop(index), error)

    def _fail(self, job: Job, error: Exception) -> None:
        self.counts.failed += 1
        job.ticket.hearer(Lost(job.choice, error))

    def _recover(self, crowd: Crowd) -> None:
        """The engine refused a batch: from nothing, run by run, it is seen whose fault that was."""
        reset = getattr(self._engine, "reset", None)
        if reset is not None:
            reset()
        try:
            failed = crowd.apart()
        except _Attention:
            return
        for index, error in failed.items():
            crowd.drop(index)
            self._failed(index, error)

    def _lose_all(self, error: Exception) -> None:
        for index in list(self._live):
            with contextlib.suppress(Exception):
                if self._crowd is not None:
                    self._crowd.drop(index)
            self._failed(index, error)
        self._drop_engine()

    def _drop_engine(self) -> None:
        engine, self._engine, self._crowd = self._engine, None, None
        end = getattr(engine, "close", None)
        if end is not None:
            end()
