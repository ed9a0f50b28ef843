"""The hub's address, checked before anything is imported that would choke on it."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from localpower.errors import UserError

_USUAL = "https://huggingface.co"


def endpoint() -> str:
    """HF_ENDPOINT, else the usual hub. Raises UserError for what is no address."""
    said = (os.environ.get("HF_ENDPOINT") or _USUAL).rstrip("/")
    try:
        parts = urlsplit(said)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        right = False
    if not right or not said.isprintable():
        raise UserError(f"HF_ENDPOINT is no address: {said}", f"it is like {_USUAL}")
    return said


def host() -> str:
    """The hub's name, for people. Raises UserError."""
    return urlsplit(endpoint()).netloc
