"""Where things are kept between runs. Nothing else asks for the user's folders.

What is kept (checksums, verdicts, the lines of a chat) saves time alone: without a home, or where its folder cannot be
made, it goes among the temporary files, into a folder that nobody else can write; where that fails too, nowhere.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
import threading
from pathlib import Path
from typing import Literal

import platformdirs

Kind = Literal["cache", "state", "data", "config"]


def users_folder(kind: Kind) -> Path | None:
    """LOCALPOWER_CACHE, _STATE, _DATA or _CONFIG, else the system's own choice; None: the user has no home."""
    if named := os.environ.get(_variable(kind)):
        return Path(named)
    try:
        folder = Path(getattr(platformdirs, f"user_{kind}_dir")("localpower"))
    except RuntimeError:
        return None
    return folder if folder.is_absolute() else None


def kept_in(kind: Kind) -> tuple[Path | None, str]:
    """The folder, None for nowhere, and a note where it is not the usual one or cannot be written."""
    folder = users_folder(kind)
    if folder is not None and _can_write(folder):
        return folder, ""
    wrong = "there is no home folder" if folder is None else f"{folder} cannot be written"
    if folder is not None and os.path.isdir(folder):  # what lies there is still read
        return folder, f"{wrong}: nothing new is kept there"
    named = bool(os.environ.get(_variable(kind)))  # the user wants it there and nowhere else
    other = None if named else _temporary(kind)
    return other, f"{wrong}: {f'what saves time is kept in {other}' if other else 'nothing is kept'}"


def put(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Write a file in one stroke: a kill or a full disk leaves what was there. mode: of a new one. Raises OSError."""
    draft = path.with_name(f".new-{os.getpid()}-{threading.get_ident()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            file.write(data)
        if path.exists():
            shutil.copymode(path, draft)
        draft.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise


def _variable(kind: Kind) -> str:
    return f"LOCALPOWER_{kind.upper()}"


def _can_write(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


def _temporary(kind: Kind) -> Path | None:
    """Others may write beside it: a folder that they made is not used."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    try:
        own = Path(tempfile.gettempdir()) / f"localpower-{user}"
        own.mkdir(mode=0o700, exist_ok=True)
        found = own.lstat()
    except OSError:
        return None
    theirs = found.st_uid != user or found.st_mode & 0o022 or not stat.S_ISDIR(found.st_mode)
    if theirs and hasattr(os, "getuid"):  # in Windows each user has temporary files of their own
        return None
    return own / kind if _can_write(own / kind) else None
