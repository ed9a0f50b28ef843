"""The endpoints."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from localpower import __version__
from localpower.api.request import chosen_seed
from localpower.server import models
from localpower.server.asking import context_of, questions
from localpower.server.bodies import read_json
from localpower.server.files import Watched
from localpower.server.inbox import Inbox
from localpower.server.metrics import Metrics
from localpower.server.parse import ChatRequest, CompletionRequest, chat_request, completion_request
from localpower.server.problems import ApiError, of
from localpower.server.replies import Reply
from localpower.server.scheduler import Scheduler
from localpower.server.settings import Manner
from localpower.server.streaming import Streaming, worth_telling
from localpower.server.tickets import MOST_SEED, Busy, Closing, Done, Lost, Ticket

if TYPE_CHECKING:
    from starlette.requests import Request

_AT_ONCE = 4  # prompts that are read at a time
_SHOWN = 2000  # characters of a prompt in the log, and of warnings in a header


@dataclass(slots=True)
class Endpoints:
    """What answers. log: hears a line for every request."""

    scheduler: Scheduler
    manner: Manner
    log: Callable[[str], None]
    metrics: Metrics = field(default_factory=Metrics)
    _reading: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    _file: Watched = field(init=False)
    _started: int = field(default_factory=lambda: int(time.time()))

    def __post_init__(self) -> None:
        """Remember the model's file as it is."""
        self._file = Watched(self.scheduler.loaded.info.path)

    @property
    def _name(self) -> str:
        return self.scheduler.loaded.info.name

    async def health(self, request: Request) -> Response:
        """Whether requests are taken."""
        closing = self.scheduler.desk.closing is not None
        found = {
            "status": "stopping" if closing else "ok",
            "version": __version__,
            "running": len(self.scheduler.live),
            "waiting": len(self.scheduler.desk),
            "model_file": self._file.state(),
        }
        return JSONResponse(found, 503 if closing else 200)

    async def list_models(self, request: Request) -> Response:
        """The served model, with each method as a name of its own."""
        return JSONResponse(
            {"object": "list", "data": [self._model(name) for name in models.listed(self._name)]}
        )

    async def one_model(self, request: Request) -> Response:
        """One of them, or any other spelling that would be answered."""
        name = request.path_params["name"]
        models.chosen(name, self._name)
        return JSONResponse(self._model(name))

    def _model(self, name: str) -> dict[str, Any]:
        loaded = self.scheduler.loaded
        facts = {
            "sha256": loaded.info.sha256,
            "quantization": loaded.info.quantization,
            "exactness": loaded.exactness,
            "context": context_of(loaded, self.scheduler.limits),
            "chat_template": loaded.has_template,
        }
        return {
            "id": name,
            "object": "model",
            "created": self._started,
            "owned_by": "localpower",
            "localpower": facts,
        }

    async def prometheus(self, request: Request) -> Response:
        """Numbers."""
        return PlainTextResponse(self.metrics.text(self.scheduler), media_type="text/plain; version=0.0.4")

    async def chat(self, request: Request) -> Response:
        """/v1/chat/completions."""
        return await self._answered(request, chat_request)

    async def completions(self, request: Request) -> Response:
        """/v1/completions."""
        return await self._answered(request, completion_request)

    async def _answered(
        self, request: Request, read: Callable[..., ChatRequest | CompletionRequest]
    ) -> Response:
        began = time.monotonic()
        scheduler = self.scheduler
        scheduler.desk.check_room()  # before anything is read
        body = await read_json(request, scheduler.limits)
        asked = read(body, self._name, scheduler.limits, self.manner)
        if self.manner.prompts:
            self.log(f"request {json.dumps(body)[:_SHOWN]}")
        async with self._reading:
            found = await asyncio.to_thread(questions, scheduler.loaded, asked, scheduler.limits)
        sampling = asked.sampling
        seed = chosen_seed(None if sampling.seed is None else sampling.seed % MOST_SEED)
        inbox = Inbox(worth_telling(found, states=sampling.states)) if sampling.stream else Inbox()
        ticket = Ticket(found, seed, inbox, scheduler.clock() + scheduler.limits.seconds, sampling.top)
        scheduler.desk.submit(ticket)
        chat = isinstance(asked, ChatRequest)
        reply = Reply(scheduler.loaded, sampling, ticket, chat, getattr(asked, "tools", ()))
        headers = _warned(sampling.warnings)
        if sampling.stream:
            lines = self._streamed(Streaming(reply, inbox), ticket, began)
            headers |= {"cache-control": "no-cache", "x-accel-buffering": "no"}
            return StreamingResponse(lines, media_type="text/event-stream", headers=headers)
        try:
            done = await _collected(request, inbox, len(found))
        except BaseException:
            scheduler.desk.cancel(ticket)
            raise
        if done is None:
            scheduler.desk.cancel(ticket)
            return Response(status_code=499)
        self._tell(ticket, done, began)
        return JSONResponse(reply.whole(done), headers=headers)

    async def _streamed(self, stream: Streaming, ticket: Ticket, began: float) -> AsyncIterator[str]:
        first = True
        try:
            async with contextlib.aclosing(stream.lines()) as lines:  # type: ignore[type-var]
                async for line in lines:
                    if first:
                        self.metrics.first.add(time.monotonic() - began)
                        first = False
                    yield line
            if stream.failed is None:
                self._tell(ticket, stream.done, began)
        finally:
            if len(stream.done) < len(ticket.jobs):
                self.scheduler.desk.cancel(ticket)

    def _tell(self, ticket: Ticket, done: list[Done], began: float) -> None:
        seconds = time.monotonic() - began
        self.metrics.seconds.add(seconds)
        answers = [each.answer for each in done]
        n, drawn = sum(each.n_tokens for each in answers), sum(each.decoded_tokens for each in answers)
        method = ticket.questions[0].options.method
        self.log(
            f"answered {len(answers)} x {method} seed {ticket.seed}: {n} tokens, {drawn} drawn, {seconds:.1f} s"
        )
        if self.manner.prompts:
            for each in answers:
                self.log(f"answer {json.dumps(each.text)[:_SHOWN]}")


async def _collected(request: Request, inbox: Inbox, n: int) -> list[Done] | None:
    """All n answers in order; None: the client has left. Raises ApiError where one is lost."""
    found: dict[int, Done] = {}

    async def collect() -> None:
        while len(found) < n:
            item = await inbox.get()
            if isinstance(item, Lost):
                raise item.error
            if isinstance(item, Done):
                found[item.choice] = item

    async def left() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    tasks = [asyncio.create_task(collect()), asyncio.create_task(left())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if not tasks[0].done():
            return None
        tasks[0].result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return [found[i] for i in range(n)]


def _warned(warnings: tuple[str, ...]) -> dict[str, str]:
    """Warnings as a header, which holds ASCII alone."""
    text = "; ".join(warnings).encode("ascii", "replace").decode()
    return {"x-localpower-warning": " ".join(text.split())[:_SHOWN]} if text else {}


def problem(error: Exception) -> ApiError:
    """How an error is told to a client."""
    if isinstance(error, Busy):
        return ApiError(429, error.line(), code="queue_full", headers={"retry-after": str(error.after)})
    if isinstance(error, Closing):
        return ApiError(503, error.line(), code="stopping", headers={"connection": "close"})
    return of(error)
