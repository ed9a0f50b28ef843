"""JSON lines: one value a line, each flushed when it is written, and read by one policy.

A line ends at a line feed and nowhere else: U+2028 and its like are letters of a text. What follows the last line
break of a file of ours was cut off by a kill or a full disk: it is dropped, with a note. Any other line that cannot be
read is an error that names the file and the line; empty lines hold nothing.
"""

from __future__ import annotations

import codecs
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, TypeVar

from localpower import inputs
from localpower.errors import UserError

try:
    import fcntl
except ImportError:  # not on Windows: there two writers at once are not noticed
    fcntl = None  # type: ignore[assignment]

T = TypeVar("T")
Say = Callable[[str], None]
_WRONG = (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError)


def line(value: Any) -> str:
    """The value as a line of ASCII, which no program splits elsewhere. Raises ValueError for NaN and infinities."""
    return json.dumps(value, allow_nan=False) + "\n"


class Writer:
    """Appends values to a file, each on the disk before `add` returns. A cut-off last line is taken away first.

    One writer at a time: the file is locked until it is closed, or its process has ended.
    """

    def __init__(
        self,
        path: Path,
        hint: str = "",
        *,
        fresh: bool = False,
        busy: str = "wait for it, or choose another file",
    ) -> None:
        """hint: what the user can do when nothing can be written; busy: while another process writes the file.

        fresh: begin the file anew.

        Raises UserError for a file that cannot be written, or that another process writes.
        """
        self._path, self._hint = path, hint
        try:
            self._file: IO[str] = path.open("a", encoding="ascii")
            if path.is_file():  # a pipe or a device has neither an end to mend nor one writer
                lock(self._file)
                os.truncate(path, 0 if fresh else _whole(path))
        except BlockingIOError:
            self._file.close()
            raise UserError(f"another process writes {path}", busy) from None
        except OSError as error:
            raise self._refused(error) from None

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, value: Any) -> None:
        """Write one line. Raises UserError when it cannot be written."""
        try:
            self._file.write(line(value))
            self._file.flush()
        except OSError as error:
            raise self._refused(error) from None

    def close(self) -> None:
        """Raises UserError when what was written cannot be kept."""
        try:
            self._file.close()
        except OSError as error:
            raise self._refused(error) from None

    def _refused(self, error: OSError) -> UserError:
        return UserError(f"cannot write {self._path}: {error.strerror}", self._hint)


def lock(file: IO[Any], *, shared: bool = False, wait: bool = False) -> None:
    """Keep other processes that ask for it from this file, until it is closed. Raises BlockingIOError.

    shared: those that ask for it shared too are let in. wait: until whoever has it lets go, instead of raising.
    """
    if fcntl:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise
        except OSError:  # a file system without locks
            pass


def _whole(path: Path) -> int:
    """How many bytes there are up to the last line break."""
    return path.read_bytes().rfind(b"\n") + 1


def read(
    path: Path, shape: Callable[[Any], T], what: str, *, hint: str = "", cut_off: Say | None = None
) -> Iterator[tuple[str, T]]:
    """As `parse`, of a file. Raises UserError for one that cannot be read, too."""
    return parse(inputs.read(path, hint), str(path), shape, what, hint=hint, cut_off=cut_off)


def kept(path: Path, shape: Callable[[Any], T], what: str, cut_off: Say, *, hint: str = "") -> list[T]:
    """The values of a file of ours that may not be there yet."""
    found = read(path, shape, what, hint=hint, cut_off=cut_off) if path.exists() else ()
    return [value for _, value in found]


def parse(
    data: bytes,
    name: str,
    shape: Callable[[Any], T],
    what: str,
    *,
    hint: str = "",
    cut_off: Say | None = None,
) -> Iterator[tuple[str, T]]:
    """Each line's place, in words, and what `shape` makes of its value.

    shape: raises ValueError, TypeError or the like for a value that is no `what`. cut_off: hears of a last line that is
    dropped; None: the file is not ours, and its last line counts with or without a line break. Raises UserError that
    names the line for one that is no JSON or no `what`.
    """
    lines = data.removeprefix(codecs.BOM_UTF8).split(b"\n")
    if lines[-1] and cut_off is not None:
        cut_off(f"note: the last line of {name} was cut off and is left out")
        lines.pop()
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        place = f"line {number} of {name}"
        try:
            value = shape(loads(text))
        except _WRONG:
            raise UserError(f"{place} is no {what}", hint) from None
        yield place, value


def silent(_note: str) -> None:
    """For readers whose caller says itself that a file ends early."""


def loads(text: str | bytes) -> Any:
    """The value of a JSON text. Raises ValueError for NaN and infinities, which Python takes and JSON does not have."""
    return json.loads(text, parse_constant=_refuse)


def text(value: Any) -> str:
    """What a value says: a text, a number as a person writes it (2.0 is 2), true or false. Raises ValueError."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and math.isfinite(value):
        return f"{Decimal(repr(value)):f}".removesuffix(".0")
    if not isinstance(value, str | int):
        raise ValueError
    return str(value)


def record(value: Any, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The value, if it is an object with these fields of these types; else raises ValueError.

    [type]: a list of values of the type. A bool counts as an int, and an int as a float.
    """
    if not isinstance(value, dict) or not all(
        name in value and _fits(value[name], kind) for name, kind in fields.items()
    ):
        raise ValueError
    return value


def _fits(value: Any, kind: Any) -> bool:
    if isinstance(kind, list):
        return isinstance(value, list) and all(_fits(part, kind[0]) for part in value)
    return isinstance(value, int | float if kind is float else kind)


def _refuse(name: str) -> None:
    """NaN and infinities: no JSON."""
    raise ValueError(name)
