"""Which view: one that redraws a terminal, or plain lines."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

from localpower.events import Started
from localpower.ui.live import LiveView
from localpower.ui.plain import PlainView
from localpower.ui.view import Piece


def view_of(
    started: Started, piece: Piece, plain_seconds: Callable[[int], float | None], *, redraw: bool
) -> LiveView | PlainView:
    """The view of a run that begins, on stderr. redraw: live, else plain lines."""
    stream, n = None if redraw else sys.stderr, len(started.prompt)
    return view_on(stream, piece, started.settings, started.n_chains, n, plain_seconds=plain_seconds)


def view_on(
    stream: TextIO | None,
    piece: Piece,
    settings: dict[str, Any],
    n_chains: int,
    prompt_length: int,
    clock: Callable[[], float] = time.perf_counter,
    plain_seconds: Callable[[int], float | None] = lambda _: None,
) -> LiveView | PlainView:
    """Plain lines on `stream`; None: the live view on stderr. plain_seconds: of a plain answer of so many tokens."""
    if stream is not None:
        return PlainView(stream, settings, n_chains, clock, plain_seconds)
    from rich.console import Console

    return LiveView(Console(stderr=True), piece, settings, n_chains, prompt_length, clock, plain_seconds)
