"""What llama.cpp is asked for just now, in words that name its kind and size: told if the process dies of it."""

from __future__ import annotations

from collections.abc import Callable

_listeners: list[Callable[[str], None]] = []


def doing(what: str) -> None:
    """This goes on from now."""
    for heard in _listeners:
        heard(what)


def listen(heard: Callable[[str], None]) -> None:
    """heard: of everything that goes on from now; it must be quick."""
    _listeners.append(heard)
