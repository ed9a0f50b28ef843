"""Where requests wait, and where clients that have left are noted: shared by the event loop and the engine's thread."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable

from localpower.errors import UsageProblem
from localpower.server.settings import Limits
from localpower.server.tickets import Busy, Closing, Job, Ticket

_LONGEST_WAIT = 60  # seconds that a client is told to wait
_USUAL_S = 5.0  # of an answer, until one was seen
_CARRIED = 0.8  # of the mean duration, from one answer to the next


class Desk:
    """The queue. clock: seconds. rows_busy: of the batch, as the engine's thread last said."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self.limits, self.clock = limits, clock
        self.rows_busy = 0
        self.attention = False  # somebody has left, or the server is being stopped
        self.closing: float | None = None  # when every run ends with its current state
        self._waiting: deque[Job] = deque()
        self._lock = threading.Condition()
        self._usual = _USUAL_S

    def __len__(self) -> int:
        """Answers that wait."""
        return len(self._waiting)

    def check_room(self, n: int = 1) -> None:
        """Raise Busy or Closing where n more answers would not be taken."""
        if self.closing is not None:
            raise Closing
        waiting = [job for job in self._waiting.copy() if not job.ticket.cancelled]
        backlog = self.rows_busy + sum(job.rows for job in waiting)
        if len(waiting) + n > self.limits.queue and backlog + n > self.limits.rows:
            turns = math.ceil((backlog + n) / self.limits.rows)
            raise Busy(max(1, min(round(self._usual * turns / 2), _LONGEST_WAIT)))

    def submit(self, ticket: Ticket) -> None:
        """Queue a request. Raises Busy, Closing, and UsageProblem for one that needs more rows than there are."""
        for job in ticket.jobs:
            if job.rows > self.limits.rows:
                raise UsageProblem(
                    f"{job.question.options.method} draws {job.rows} answers at once, "
                    f"and this server has room for {self.limits.rows}",
                    "ask for fewer, or start the server with more --rows",
                )
        n, most = len(ticket.jobs), max(self.limits.rows, self.limits.queue)
        if n > most:
            raise UsageProblem(
                f"a request for {n} answers, and this server has room for {most}", "ask for fewer"
            )
        with self._lock:
            self.check_room(n)
            self._waiting.extend(ticket.jobs)
            self._lock.notify()

    def cancel(self, ticket: Ticket) -> None:
        """The client has left: its rows are free before the next decode."""
        with self._lock:
            ticket.cancelled = self.attention = True
            self._lock.notify()

    def close(self, grace: float) -> None:
        """Take no more requests; what runs may go on for so many seconds."""
        with self._lock:
            end = self.clock() + grace
            self.closing = end if self.closing is None else min(end, self.closing)
            self.attention = True
            self._lock.notify()

    def heed(self) -> None:
        """Whatever asked for attention is seen to now."""
        with self._lock:
            self.attention = False

    def gone(self) -> tuple[int, list[Job]]:
        """Take those out of the queue that wait no longer: how many had left, and those whose time is over."""
        if not self._waiting:
            return 0, []
        now = self.clock()
        with self._lock:
            waiting, self._waiting = list(self._waiting), deque()
            kept = [job for job in waiting if not job.ticket.cancelled]
            late = [job for job in kept if now > job.ticket.deadline or self.closing is not None]
            self._waiting.extend(job for job in kept if job not in late)
        return len(waiting) - len(kept), late

    def take(self, rows: int) -> Job | None:
        """The next in the queue, where so many rows are enough for it. In their order: else a wide one would wait for
        ever."""
        if not self._waiting:
            return None
        with self._lock:
            if not self._waiting or self._waiting[0].rows > rows:
                return None
            return self._waiting.popleft()

    def wait(self) -> bool:
        """Until there is something to do; False: the server is being stopped, and there is nothing left."""
        with self._lock:
            while not self.attention and not self._waiting:
                if self.closing is not None:
                    return False
                self._lock.wait()
            return True

    def took(self, seconds: float) -> None:
        """An answer took so long."""
        self._usual = _CARRIED * self._usual + (1 - _CARRIED) * seconds
