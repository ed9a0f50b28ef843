"""The client of `localpower watch`: what a server tells of an answer, read back into events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2

from localpower.errors import UserError
from localpower.events import Event, Started, from_json
from localpower.model import Tokens

_CONNECT_S = 5.0
_QUIET_S = 60.0  # a server says something every ten seconds
_WRONG = (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError)


@dataclass(frozen=True, slots=True)
class Told:
    """One of: the beginning, an event, the tokens of the answer while a proposal grows; and bytes of new tokens."""

    started: Started | None = None
    event: Event | None = None
    asked: Tokens = ()
    pieces: dict[int, bytes] = field(default_factory=dict)


def events(url: str, key: str = "") -> Iterator[Told]:
    """Of one answer of the server at `url`, until it is there. Raises UserError."""
    base = url.rstrip("/").removesuffix("/v1")
    if "://" not in base:
        base = f"http://{base}"
    headers = {"authorization": f"Bearer {key}"} if key else {}
    try:
        with (
            httpx2.Client(timeout=httpx2.Timeout(_QUIET_S, connect=_CONNECT_S), trust_env=False) as client,
            client.stream("GET", f"{base}/v1/localpower/watch", headers=headers) as response,
        ):
            if response.status_code != 200:
                raise _refused(response.status_code, base)
            for line in response.iter_lines():
                if line.startswith("data: "):
                    yield _read(line[len("data: ") :], base)
    except (httpx2.TransportError, httpx2.InvalidURL, UnicodeError) as error:
        reason = "it does not answer" if isinstance(error, httpx2.TimeoutException) else str(error).strip()
        raise UserError(
            f"cannot reach {base}: {reason or type(error).__name__}", "does the server run?"
        ) from None


def _read(text: str, base: str) -> Told:
    try:
        data: dict[str, Any] = json.loads(text)
        pieces = {
            int(token): text.encode("utf-8", "surrogateescape") for token, text in data["pieces"].items()
        }
        if "asked" in data:
            return Told(asked=tuple(int(token) for token in data["asked"]), pieces=pieces)
        event = from_json(data)
    except _WRONG:
        raise UserError(f"{base} does not speak as localpower serve does") from None
    return (
        Told(started=event, pieces=pieces) if isinstance(event, Started) else Told(event=event, pieces=pieces)
    )


def _refused(status: int, base: str) -> UserError:
    if status == 401:
        return UserError(f"{base} asks for a key", "LOCALPOWER_API_KEY holds it")
    if status == 404:
        return UserError(f"nobody may watch {base}", "the server is started with --allow-watch for that")
    return UserError(f"{base} answers with status {status}", "is it localpower serve?")
