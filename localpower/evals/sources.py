"""Files of problems as their authors publish them: which file it is, and what its rows say. Each may be gzipped."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localpower import inputs, jsonl
from localpower.errors import UserError
from localpower.evals.rows import TABLES, Row, json_rows, table_rows
from localpower.folders import users_folder

_MOST_BYTES = 1 << 29  # of a file once unpacked
_HINT = "--data takes a file of problems"


def _no_password() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Source:
    """Where problems come from. path: a file or folder that was named; None: the data folder.

    seed: of the order of options. password: asked for when an encrypted file needs one.
    """

    path: Path | None = None
    seed: int = 0
    password: Callable[[], str] = _no_password


@dataclass(frozen=True, slots=True)
class Needs:
    """A file that a task cannot do without. names: what it may be called; where: who publishes it."""

    names: tuple[str, ...]
    where: str


def data_folder() -> Path:
    """LOCALPOWER_DATA, else `data` in the user's folder for localpower, or in this one where there is no home."""
    folder = users_folder("data") or Path()
    return folder if os.environ.get("LOCALPOWER_DATA") else folder / "data"


def find(task: str, needs: Needs, source: Source) -> Path:
    """The task's file. Raises UserError that says which file is missing, where it is published and what to do."""
    folder = source.path if source.path is not None else data_folder()
    if source.path is not None and not folder.exists():
        raise UserError(f"--data {folder} does not exist", f"{task} reads {needs.names[0]}: {needs.where}")
    if source.path is not None and not folder.is_dir():
        return folder
    for name in needs.names:
        if (found := _in_folder(folder, name)) is not None:
            return found
    raise UserError(
        f"{task} needs the file {needs.names[0]}, which is not in {folder}",
        f"it is published at {needs.where}; download it and give its path with --data, or put it there",
    )


def _in_folder(folder: Path, name: str) -> Path | None:
    """The file of that name, whatever the case of its letters."""
    place = (folder / name).parent
    alike = sorted(place.iterdir()) if place.is_dir() else []
    names = [each for each in alike if each.name.lower() == Path(name).name.lower() and not each.is_dir()]
    return folder / name if folder / name in names else next(iter(names), None)


def read_rows(path: Path, hint: str = _HINT) -> list[Row]:
    """The rows of a file. Raises UserError for a file that cannot be read or holds something else."""
    return parse_rows(read_bytes(path, hint), path.name)


def read_bytes(path: Path, hint: str = _HINT) -> bytes:
    """The file's bytes, unpacked. Raises UserError."""
    data = inputs.read(path, hint, _MOST_BYTES + 1)
    if data[:2] == b"\x1f\x8b":
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
                data = packed.read(_MOST_BYTES + 1)
        except (OSError, EOFError, zlib.error):
            raise UserError(f"cannot read {path}: it is damaged", hint) from None
    if len(data) > _MOST_BYTES:
        raise UserError(f"{path} is larger than {_MOST_BYTES >> 20} MB", hint)
    return data


def parse_rows(data: bytes, name: str) -> list[Row]:
    """The rows of a file's bytes; `name` says what it is. Raises UserError."""
    text = inputs.text(data, name)
    kind = Path(name.lower().removesuffix(".gz")).suffix
    rows = table_rows(text, name, kind) if kind in TABLES else json_rows(text, name, kind)
    if not rows:
        raise UserError(f"{name} holds no problems")
    return rows


def pick(row: Row, names: Sequence[str], place: str) -> Any:
    """The first of these fields that the row has. Raises UserError that names them."""
    for name in names:
        if row.get(name) is not None:
            return row[name]
    raise UserError(
        f"{place} has no field {' or '.join(names)}"
    )  # which it has may be a question, without a header


def as_text(row: Row, names: Sequence[str], place: str) -> str:
    """The text in the first of these fields that the row has. Raises UserError for a list, an object and blanks."""
    try:
        text = jsonl.text(pick(row, names, place))
    except ValueError:
        raise UserError(f"{place} has no text in {' or '.join(names)}") from None
    if not text.strip():
        raise UserError(f"{place} has nothing in {' or '.join(names)}")
    return text


def numbered(rows: Iterable[Row], name: str) -> Iterable[tuple[Row, str, int]]:
    """Each row with words for its place and its number from 0."""
    return ((row, f"row {i + 1} of {name}", i) for i, row in enumerate(rows))
