"""What `localpower watch` hears: the events of one answer that is being drawn, as `--events` records them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.responses import Response, StreamingResponse

from localpower import __version__
from localpower.api.answer_run import settings_told
from localpower.events import Event, Extended, Started
from localpower.model import Tokens
from localpower.runs.record import Lines
from localpower.server.scheduler import Scheduler
from localpower.server.tickets import Job

if TYPE_CHECKING:
    from starlette.requests import Request

_QUIET_S = 10  # after which a comment keeps the connection alive
_TAILS_S = 0.12  # between two looks at what is being written
_MOST = 4096  # events that a slow watcher may be behind; then its view ends


class Watching:
    """Hears of all answers in the engine's thread, and keeps what is of one: the oldest, or the next that begins."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._job: Job | None = None
        self._lines = Lines(scheduler.loaded.piece)
        self._last = 0.0
        self._done = False

    def __call__(self, job: Job, event: Event | None, context: Tokens) -> None:
        """As a watcher."""
        if self._done or (self._job is not None and job is not self._job):
            return
        if self._job is None:
            if job.ticket.cancelled or (event is not None and job.tally.finish):
                return
            self._begin(job)
            if event is not None:
                return  # told with the state
        if event is not None:
            self._put(self._lines.of(0, event))
            if job.tally.finish:
                self._done = True
                self._put(None)
        elif context and (now := self._scheduler.clock()) - self._last >= _TAILS_S:
            self._last = now
            answer = context[len(job.question.prompt) :]
            self._put({"asked": list(answer), "pieces": self._lines.pieces(answer)})

    def _begin(self, job: Job) -> None:
        """What it depends on, and how far it has come. A prompt is nobody's business: only its length is told."""
        self._job = job
        question, loaded = job.question, self._scheduler.loaded
        settings = settings_told(loaded, question, job.seed)
        model = {"name": loaded.info.name, "sha256": loaded.info.sha256}
        self._put(self._lines.of(None, Started(question.sampler.method, settings, model, (), 1, __version__)))
        horizon = question.options.max_tokens
        for i, member in enumerate(job.tally.members):
            if len(member):
                self._put(self._lines.of(0, Extended(0, horizon, 0, member, i)))

    def _put(self, item: dict[str, Any] | None) -> None:
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._queue.put_nowait, item)

    async def lines(self) -> AsyncIterator[str]:
        """Server-sent events until the answer is there."""
        end = self._scheduler.watch(self)
        quiet = 0
        try:
            while True:
                try:
                    item = await asyncio.wait_for(self._queue.get(), 1.0)
                except TimeoutError:
                    if self._scheduler.desk.closing is not None or (self._job and self._job.ticket.cancelled):
                        return
                    quiet += 1
                    if quiet % _QUIET_S == 0:
                        yield ": nothing new\n\n"
                    continue
                if item is None or self._queue.qsize() > _MOST:
                    return
                yield f"data: {json.dumps(item)}\n\n"
        finally:
            end()


def watching(scheduler: Scheduler) -> Callable[[Request], Awaitable[Response]]:
    """/v1/localpower/watch."""

    async def watch(request: Request) -> Response:
        return StreamingResponse(Watching(scheduler).lines(), media_type="text/event-stream")

    return watch
