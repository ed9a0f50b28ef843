"""Which view: one that redraws a terminal, or plain lines."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TextIO

from localpower.ui.body import PLAIN, Fold
from localpower.ui.live import LiveView
from localpower.ui.plain import PlainView
from localpower.ui.view import Piece


def view_on(
    stream: TextIO | None,
    piece: Piece,
    settings: dict[str, Any],
    n_chains: int,
    prompt_length: int,
    clock: Callable[[], float] = time.perf_counter,
    plain_seconds: Callable[[int], float | None] = lambda _: None,
    explain: Callable[[], None] | None = None,
    fold: Fold = PLAIN,
) -> LiveView | PlainView:
    """Plain lines on `stream`; None: the live view on stderr. plain_seconds: of a plain answer of so many tokens.

    explain: the live view shows its legend, and calls this when there was time to read it. fold: how it shows thoughts.
    """
    if stream is not None:
        return PlainView(stream, settings, n_chains, clock, plain_seconds)
    from rich.console import Console

    console = Console(stderr=True)
    return LiveView(console, piece, settings, n_chains, prompt_length, clock, plain_seconds, explain, fold)
