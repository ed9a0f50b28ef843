"""Opening a model takes a while: who hears what is waited for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from localpower.loaded import Loaded
from localpower.loading import Request, load
from localpower.runs.interrupt import Interrupts

Say = Callable[[str], None]
Waiting = Callable[[], AbstractContextManager[Say]]


def nobody() -> AbstractContextManager[Say]:
    """Nobody hears."""
    return nullcontext(lambda _: None)


def opened(
    request: Request, interrupts: Interrupts, waiting: Waiting = nobody, at: Path | None = None
) -> Loaded:
    """The model, loaded. at: where its file lies, if not where its name says. Raises ModelError, or Interrupted."""
    with waiting() as wait:
        loaded = load(request, say=wait, stop=lambda: interrupts.requested, at=at)
    interrupts.check()
    return loaded
