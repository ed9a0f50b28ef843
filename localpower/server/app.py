"""The ASGI application: routes, who may ask, and problems in OpenAI's form."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from localpower.loaded import Loaded
from localpower.server.access import check
from localpower.server.page import page
from localpower.server.problems import ApiError
from localpower.server.routes import Endpoints, problem
from localpower.server.scheduler import Scheduler
from localpower.server.settings import Access, Limits, Manner
from localpower.server.watching import watching
from localpower.text.template import keeping

_COUNTED = (
    *("/v1/chat/completions", "/v1/completions", "/v1/models", "/v1/localpower/watch"),
    *("/health", "/metrics", "/"),
)


def create(
    loaded: Loaded,
    limits: Limits | None = None,
    access: Access | None = None,
    manner: Manner | None = None,
    log: Callable[[str], None] = lambda _: None,
) -> Starlette:
    """An application that serves a loaded model, for any ASGI server. log: hears a line for every request.

    `app.state.scheduler` may be closed before the server is, so that runs end with their current states.
    """
    limits, access, manner = limits or Limits(), access or Access(), manner or Manner()
    scheduler = Scheduler(loaded, limits)
    endpoints = Endpoints(scheduler, manner, log)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        with keeping():
            scheduler.start()
            try:
                yield
            finally:
                scheduler.desk.close(0.0)
                await asyncio.to_thread(scheduler.join)

    middleware = [Middleware(_Gate, access=access, endpoints=endpoints)]
    if access.origins:
        cors = Middleware(
            CORSMiddleware,
            allow_origins=list(access.origins),
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type"],
            expose_headers=["x-localpower-warning"],
        )
        middleware.insert(0, cors)
    routes = [
        Route("/", page),
        Route("/health", endpoints.health),
        Route("/metrics", endpoints.prometheus),
        Route("/v1/models", endpoints.list_models),
        Route("/v1/models/{name:path}", endpoints.one_model),
        Route("/v1/chat/completions", endpoints.chat, methods=["POST"]),
        Route("/v1/completions", endpoints.completions, methods=["POST"]),
    ]
    if manner.watch:
        routes.append(Route("/v1/localpower/watch", watching(scheduler)))
    app = Starlette(
        routes=routes,
        middleware=middleware,
        lifespan=lifespan,
        exception_handlers={HTTPException: _unknown},
    )
    app.state.scheduler = scheduler
    return app


class _Gate:
    """Who may not ask gets no further; whatever is raised becomes a reply, and every reply is counted."""

    def __init__(self, app: ASGIApp, access: Access, endpoints: Endpoints) -> None:
        self._app, self._access, self._endpoints = app, access, endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def heard(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                path = scope["path"] if scope["path"] in _COUNTED else "other"
                self._endpoints.metrics.requests[path, message["status"]] += 1
            await send(message)

        try:
            check(self._access, scope["path"], Headers(scope=scope))
            await self._app(scope, receive, heard)
        except Exception as error:
            told = problem(error)
            self._endpoints.log(f"refused {scope['method']} {scope['path']!a}: {told.status} {told.message}")
            if begun:  # a stream that broke: nothing can be said any more
                raise
            await _reply(told)(scope, receive, heard)


def _reply(error: ApiError) -> Response:
    return JSONResponse(error.body(), error.status, headers=error.headers)


async def _unknown(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    known = (error.headers or {}).get("Allow", "another method")
    words = {
        404: "this server has no such path",
        405: f"{request.method} is not a method of this path; it has {known}",
    }
    return _reply(ApiError(error.status_code, words.get(error.status_code, error.detail)))
