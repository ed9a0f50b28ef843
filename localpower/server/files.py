"""Whether the model's file is still the one that is served."""

from __future__ import annotations

import os


class Watched:
    """A file as it was when it was opened. path: None for a model without one."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._was = _stamp(path)

    def state(self) -> str:
        """ "unchanged", "replaced" or "gone". What is served stays what was loaded, until the server starts anew."""
        now = _stamp(self._path)
        return "unchanged" if now == self._was else "gone" if now is None else "replaced"


def _stamp(path: str | None) -> tuple[int, ...] | None:
    if path is None:
        return None
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
