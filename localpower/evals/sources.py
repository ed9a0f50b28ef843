"""Files of problems as their authors publish them: which file it is, and what its rows say. Each may be packed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from localpower import inputs, jsonl
from localpower.errors import UserError
from localpower.evals import hub_layout
from localpower.evals.parquet import parquet_rows
from localpower.evals.rows import TABLES, Row, json_rows, table_rows
from localpower.evals.unpacking import PARQUET, plain_name, unpacked
from localpower.folders import users_folder

_MOST_BYTES = 1 << 29  # of a file once unpacked
_BY = "--data"
_HINT = f"{_BY} takes a file of problems, or a folder of a dataset"


@dataclass(frozen=True, slots=True)
class Source:
    """Where problems come from. path: a file or folder that was named; None: the data folder.

    seed: of the order of options. password: asked for when an encrypted file needs one. since, until: the first and the
    last date of problems, as YYYY, YYYY-MM or YYYY-MM-DD; empty: any.
    """

    path: Path | None = None
    seed: int = 0
    password: Callable[[], str] = lambda: ""
    since: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class Needs:
    """A file that a task cannot do without. names: what it may be called; where: who publishes it.

    folder: what a copy of its dataset in hub layout is called. config, split: the part of such a dataset that is meant.
    """

    names: tuple[str, ...]
    where: str
    folder: str = ""
    config: str = ""
    split: str = ""


def data_folder() -> Path:
    """LOCALPOWER_DATA, else `data` in the user's folder for localpower, or in this one where there is no home."""
    folder = users_folder("data") or Path()
    return folder if os.environ.get("LOCALPOWER_DATA") else folder / "data"


def find(task: str, needs: Needs, source: Source) -> Path:
    """The task's one file. Raises UserError as `find_all` does, and where a dataset has it in several files."""
    found = find_all(task, needs, source)
    if len(found) > 1:
        several = f"{task} reads one file, and {found[0].parent} has {len(found)}"
        raise UserError(several, f"name one with {_BY}")
    return found[0]


def find_all(task: str, needs: Needs, source: Source) -> list[Path]:
    """The task's file, or those of its dataset in hub layout.

    Raises UserError that says which file is missing, where it is published and what to do.
    """
    folder = source.path if source.path is not None else data_folder()
    if source.path is not None and not folder.exists():
        raise UserError(f"--data {folder} does not exist", f"{task} reads {needs.names[0]}: {needs.where}")
    if source.path is not None and not folder.is_dir():
        return [folder]
    for name in needs.names:
        if (found := _in_folder(folder, name)) is not None:
            return [found]
    for place in (folder, folder / needs.folder) if needs.folder else (folder,):
        # without --data the folder is one of many files: only a dataset that is called as this one is meant
        named = source.path is not None or place != folder
        if named and (files := hub_layout.files(place, needs.config, needs.split)):
            return files
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
    data = unpacked(inputs.read(path, hint, _MOST_BYTES + 1), path, _MOST_BYTES + 1, hint)
    if len(data) > _MOST_BYTES:
        raise UserError(f"{path} is larger than {_MOST_BYTES >> 20} MB", hint)
    return data


def parse_rows(data: bytes, name: str) -> list[Row]:
    """The rows of a file's bytes; `name` says what it is. Raises UserError."""
    kind = Path(plain_name(name.lower())).suffix
    if data.startswith(PARQUET) or kind == ".parquet":
        rows = parquet_rows(data, name, _MOST_BYTES)
    else:
        text = inputs.text(data, name)
        rows = table_rows(text, name, kind) if kind in TABLES else json_rows(text, name, kind)
    if not rows:
        raise UserError(f"{name} holds no problems")
    return rows


def pick(row: Row, names: Sequence[str], place: str) -> Any:
    """The first of these fields that the row has. Raises UserError that names them."""
    for name in names:
        if row.get(name) is not None:
            return row[name]
    # which fields it has is not told: without a header they may be a question
    raise UserError(f"{place} has no field {' or '.join(names)}")


def as_text(row: Row, names: Sequence[str], place: str) -> str:
    """The text in the first of these fields that the row has. Raises UserError for a list, an object and blanks."""
    try:
        text = jsonl.text(pick(row, names, place))
    except ValueError:
        raise UserError(f"{place} has no text in {' or '.join(names)}") from None
    if not text.strip():
        raise UserError(f"{place} has nothing in {' or '.join(names)}")
    return text


def rows_of(task: str, needs: Needs, source: Source) -> list[tuple[Row, str, int]]:
    """Every row of the task's file or files, with words for its place and its number. Raises UserError."""
    paths = find_all(task, needs, source)
    found = [place for path in paths for place in numbered(read_rows(path), path.name)]
    return [(row, place, i) for i, (row, place, _) in enumerate(found)]


def own_id(task: str, row: Row, names: Sequence[str], i: int) -> str:
    """task/own id, else task/number of the row."""
    own = str(next((row[name] for name in names if row.get(name) is not None), i))
    return own if own.lower().startswith(f"{task}/") else f"{task}/{own}"


def texts(value: Any) -> TypeGuard[list[str]]:
    """Whether a value is a list of texts."""
    return isinstance(value, list) and all(isinstance(part, str) for part in value)


def numbered(rows: Iterable[Row], name: str) -> Iterable[tuple[Row, str, int]]:
    """Each row with words for its place and its number from 0."""
    return ((row, f"row {i + 1} of {name}", i) for i, row in enumerate(rows))
