"""What is shown once: remembered in the cache folder."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from localpower.engine.files import recall, remember


def first_use(what: str) -> Callable[[], None] | None:
    """What remembers that it was shown; None: it was."""
    return None if recall("view", what) else partial(remember, "view", what, True)
