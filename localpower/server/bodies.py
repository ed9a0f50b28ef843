"""A request's body: limited in size and time, JSON and nothing else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from localpower import jsonl
from localpower.server.problems import ApiError, invalid
from localpower.server.settings import Limits

if TYPE_CHECKING:
    from starlette.requests import Request


async def read_json(request: Request, limits: Limits) -> Any:
    """The value. Raises ApiError for what is too long, too slow or no JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":  # a foreign page may send any other without asking first
        raise ApiError(415, "the content type must be application/json")
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said) > limits.body:
        raise _too_long(limits)
    data = bytearray()
    try:
        async with asyncio.timeout(limits.slow):
            async for chunk in request.stream():
                data += chunk
                if len(data) > limits.body:
                    raise _too_long(limits)
    except TimeoutError:
        raise ApiError(408, f"the request did not arrive within {limits.slow:g} s") from None
    try:
        return jsonl.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise invalid("the request is no JSON", code="invalid_json") from None


def _too_long(limits: Limits) -> ApiError:
    return ApiError(413, f"a request may have {limits.body:,} bytes", code="request_too_large")
