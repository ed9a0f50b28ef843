"""Files of problems as their authors publish them: JSON, JSON lines, CSV, each also gzipped."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localpower import jsonl
from localpower.errors import UserError
from localpower.folders import users_folder

Row = dict[str, Any]
_MOST_BYTES = 1 << 29  # of a file once unpacked


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
    if source.path is not None and source.path.is_file():
        return source.path
    if source.path is not None and not source.path.exists():
        raise UserError(
            f"--data {source.path} does not exist", f"{task} reads {needs.names[0]}: {needs.where}"
        )
    for name in needs.names:
        if (folder / name).is_file():
            return folder / name
    raise UserError(
        f"{task} needs the file {needs.names[0]}, which is not in {folder}",
        f"it is published at {needs.where}; download it and give its path with --data, or put it there",
    )


def read_rows(path: Path) -> list[Row]:
    """The rows of a file. Raises UserError for a file that cannot be read or holds something else."""
    return parse_rows(read_bytes(path), path.name)


def read_bytes(path: Path) -> bytes:
    """The file's bytes, unpacked. Raises UserError."""
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if data[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
                data = packed.read(_MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or "it is damaged"
        raise UserError(f"cannot read {path}: {reason}", "--data takes a file of problems") from None
    if len(data) > _MOST_BYTES:
        raise UserError(f"{path} is larger than {_MOST_BYTES >> 20} MB", "--data takes a file of problems")
    return data


def parse_rows(data: bytes, name: str) -> list[Row]:
    """The rows of a file's bytes; `name` says what it is. Raises UserError."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{name} is no UTF-8 text (byte {error.start + 1})") from None
    rows = (_csv_rows if name.removesuffix(".gz").endswith(".csv") else _json_rows)(text, name)
    if not rows:
        raise UserError(f"{name} holds no problems")
    return rows


def _csv_rows(text: str, name: str) -> list[Row]:
    csv.field_size_limit(1 << 24)
    try:
        return [dict(row) for row in csv.DictReader(io.StringIO(text, newline=""), strict=True)]
    except csv.Error as error:
        raise UserError(f"{name} is no CSV file: {error}") from None


def _json_rows(text: str, name: str) -> list[Row]:
    """A list, an object that holds one, or one object a line."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        lines = jsonl.parse(text.encode(), name, lambda value: jsonl.record(value, {}), "JSON object")
        return [row for _, row in lines]
    if isinstance(whole, dict):
        lists = [value for value in whole.values() if isinstance(value, list) and value and _objects(value)]
        whole = lists[0] if len(lists) == 1 else [whole]
    if not isinstance(whole, list) or not _objects(whole):
        raise UserError(f"{name} is no list of JSON objects")
    return whole


def _objects(rows: list[Any]) -> bool:
    return all(isinstance(row, dict) for row in rows)


def pick(row: Row, names: Sequence[str], place: str) -> Any:
    """The first of these fields that the row has. Raises UserError that names them."""
    for name in names:
        if row.get(name) is not None:
            return row[name]
    raise UserError(
        f"{place} has no field {' or '.join(names)}"
    )  # which it has may be a question, without a header


def numbered(rows: Iterable[Row], name: str) -> Iterable[tuple[Row, str, int]]:
    """Each row with words for its place and its number from 0."""
    return ((row, f"row {i + 1} of {name}", i) for i, row in enumerate(rows))
