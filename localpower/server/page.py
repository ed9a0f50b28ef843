"""The page at `/`: one file, which loads nothing and asks nobody but this server."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, Response

if TYPE_CHECKING:
    from starlette.requests import Request


@cache
def html() -> str:
    """The file."""
    return files("localpower.server").joinpath("page.html").read_text("utf-8")


@cache
def policy() -> str:
    """What a browser lets the page do: run its own script, and ask this server."""
    scripts = re.findall(r"<script>(.*?)</script>", html(), re.DOTALL)
    styles = re.findall(r"<style>(.*?)</style>", html(), re.DOTALL)

    def sources(texts: list[str]) -> str:
        digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts)
        return " ".join(f"'sha256-{digest}'" for digest in digests)

    return (
        f"default-src 'none'; script-src {sources(scripts)}; style-src {sources(styles)}; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


async def page(request: Request) -> Response:
    """The page."""
    headers = {
        "content-security-policy": policy(),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-cache",
    }
    return HTMLResponse(html(), headers=headers)
