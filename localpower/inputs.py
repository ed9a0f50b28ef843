"""Files that a user names: read whole, and only where the end of the file is sure to come; texts are UTF-8."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from localpower.errors import UserError

_OPEN = ("/dev/stdin", "/dev/fd/")  # pipes that another program has opened for us already


def read(path: Path, hint: str = "", most: int = -1) -> bytes:
    """The bytes of a file, `most` of them. Raises UserError.

    A device may never end, and a named pipe may wait for ever for a program that writes to it: both are refused.
    """
    try:
        kind = other_than_file(path)
        if kind:
            raise UserError(f"cannot read {path}: it is {kind}, not a file", hint)
        with path.open("rb") as file:
            return file.read(most)
    except (OSError, ValueError) as error:  # ValueError: a path with a null character
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"cannot read {path}: {reason}", hint) from None


def text(data: bytes, name: str) -> str:
    """The text, without the byte order mark that some editors write. Raises UserError for what is no UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{name} is no UTF-8 text (byte {error.start + 1})") from None


def readable(path: str) -> str:
    """A path as valid Unicode: bytes of its name that are no UTF-8 are written as \\xff. For names and labels."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def other_than_file(path: Path) -> str:
    """What a path is, where it is no file that can be read to its end; empty for a file. Raises OSError."""
    mode = path.stat().st_mode
    if stat.S_ISREG(mode) or (stat.S_ISFIFO(mode) and str(path).startswith(_OPEN)):
        return ""
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a named pipe" if stat.S_ISFIFO(mode) else "a device or a socket"
