"""Who may ask: names of this server, web pages of other addresses, keys. All before a request's body is read."""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping
from pathlib import Path

from localpower import inputs
from localpower.errors import UserError
from localpower.server.problems import ApiError
from localpower.server.settings import Access

VARIABLE = "LOCALPOWER_API_KEY"
OPEN = ("/", "/health")  # without a key: the page asks for it, and a supervisor has none


def check(access: Access, path: str, headers: Mapping[str, str]) -> None:
    """Raise ApiError for a request that is not to be answered."""
    host = _name(headers.get("host", ""))
    if access.hosts is not None and host not in access.hosts:
        # A foreign page whose name was bent to this address.
        raise ApiError(403, f"this server is not called {host!r}", code="wrong_host")
    origin = headers.get("origin")
    if origin is not None and not _same(origin, headers.get("host", "")) and not allowed(access, origin):
        raise ApiError(403, "web pages of other addresses may not ask this server", code="wrong_origin")
    if access.keys and path not in OPEN:
        _check_key(access.keys, headers.get("authorization", ""))


def allowed(access: Access, origin: str) -> bool:
    """Whether a web page of another address may ask."""
    return "*" in access.origins or origin in access.origins


def _check_key(keys: tuple[str, ...], header: str) -> None:
    scheme, _, key = header.partition(" ")
    given = key.strip().encode("latin-1")  # the bytes that came, as ASGI has them
    # All are compared, so that the time tells nothing.
    found = [hmac.compare_digest(given, each.encode()) for each in keys]
    if scheme.lower() != "bearer" or not any(found):
        raise ApiError(
            401,
            "this server needs a key: Authorization: Bearer KEY",
            code="invalid_api_key",
            headers={"www-authenticate": "Bearer"},
        )


def _name(host: str) -> str:
    """Without its port."""
    if host.startswith("["):
        return host.partition("]")[0].lstrip("[")
    return host.rpartition(":")[0] if ":" in host else host


def _same(origin: str, host: str) -> bool:
    return origin.partition("://")[2] == host != ""


def keys(path: Path | None) -> tuple[str, ...]:
    """Those of a file, one a line, and that of the environment: never on a command line, which all users can read.

    Raises UserError for a file without any.
    """
    found = [own] if (own := os.environ.get(VARIABLE, "").strip()) else []
    if path is not None:
        lines = [line.strip() for line in inputs.text(inputs.read(path), str(path)).splitlines()]
        of_file = [line for line in lines if line and not line.startswith("#")]
        if not of_file:
            raise UserError(f"{path} holds no key", "write one on a line")
        found += of_file
    return tuple(found)
