"""Which tasks there are."""

from __future__ import annotations

from localpower.evals.tasks import TASKS


def names() -> tuple[str, ...]:
    """Of the tasks that come with the package."""
    return tuple(TASKS)
