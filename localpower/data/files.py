"""A folder of data: written beside its place, put there in one stroke. A failure leaves what was there before."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from localpower import jsonl
from localpower.data.formats import Column
from localpower.errors import UserError
from localpower.evals.store import Row

RECORD = "export.json"  # it makes a folder one of ours
FORMAT = 1


def require_parquet() -> None:
    """Raises UserError where pyarrow is not installed."""
    if importlib.util.find_spec("pyarrow") is None:
        raise UserError("--parquet needs pyarrow", "pip install 'localpower[data]', or leave --parquet out")


def refuse_place(path: Path, *, overwrite: bool) -> None:
    """Raises UserError where something is that an export may not replace; an empty folder may be."""
    if path.is_symlink() and not path.exists():
        raise UserError(f"{path} is a link to nothing", "choose another --out")
    if not path.exists():
        return
    if not path.is_dir():
        raise UserError(f"{path} is a file", "--out takes a folder")
    try:
        first = next(path.iterdir(), None)
        ours = _files(path)
        there = [] if ours is None else sorted(path.rglob("*"))
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    if first is None:
        return
    if ours is None:
        raise UserError(f"{path} has other files in it, such as {first.name}", "choose a new --out")
    if not overwrite:
        raise UserError(f"{path} holds an export already", "--overwrite replaces it")
    names = [str(each.relative_to(path)) for each in there if not each.is_dir()]
    if others := [name for name in names if name not in ours]:
        raise UserError(f"{path} has files that no export wrote, such as {others[0]}", "choose a new --out")


def _files(path: Path) -> set[str] | None:
    """What an export wrote there; None: it is none."""
    try:
        said = jsonl.loads((path / RECORD).read_bytes())
        return {RECORD, *map(str, said["files"])} if said["format"] == FORMAT else None
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None


def write_folder(path: Path, write: Callable[[Path], None], *, overwrite: bool) -> None:
    """Let `write` fill a new folder, then put it at `path`. Raises UserError; then `path` is as it was."""
    refuse_place(path, overwrite=overwrite)
    path = path.resolve()
    draft = path.with_name(f".{path.name}.new-{os.getpid()}")
    old = path.with_name(f".{path.name}.old-{os.getpid()}")
    made = [each for each in path.parents if not each.exists()]
    try:
        draft.mkdir(parents=True)
        write(draft)
        refuse_place(path, overwrite=overwrite)  # another one may have been quicker
        if path.exists():
            path.rename(old)
        draft.rename(path)
        shutil.rmtree(old, ignore_errors=True)
    except BaseException as error:
        with contextlib.suppress(OSError):
            if old.exists() and not path.exists():
                old.rename(path)
        shutil.rmtree(draft, ignore_errors=True)
        with contextlib.suppress(OSError):
            for each in made:
                each.rmdir()
        if isinstance(error, OSError):
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise UserError(f"cannot write {path}: {reason}", "nothing of it was left") from None
        raise


def write_rows(path: Path, rows: Iterable[Row], columns: Sequence[Column], *, parquet: bool) -> None:
    """A file of rows. Raises OSError."""
    if parquet:
        _write_parquet(path, list(rows), columns)
        return
    with path.open("w", encoding="ascii") as file:
        for row in rows:
            file.write(jsonl.line(row))


def read_rows(path: Path) -> list[Row]:
    """What `write_rows` wrote. Raises UserError."""
    try:
        if path.suffix == ".parquet":
            require_parquet()
            from pyarrow import parquet

            rows: list[Row] = parquet.read_table(path).to_pylist()
            return rows
        return [jsonl.loads(line) for line in path.read_text("ascii").splitlines()]
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None


def write_text(path: Path, text: str) -> None:
    """A text file in UTF-8. Raises OSError."""
    path.write_text(text, "utf-8")


def write_json(path: Path, value: Any) -> None:
    """A file with one value. Raises OSError."""
    path.write_text(json.dumps(value, indent=1, allow_nan=False) + "\n", "ascii")


def _write_parquet(path: Path, rows: list[Row], columns: Sequence[Column]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    def texts(*names: str) -> list[tuple[str, pa.DataType]]:
        return [(name, pa.string()) for name in names]

    call = pa.struct([*texts("type"), ("function", pa.struct(texts("name", "arguments")))])
    kinds = {
        "text": pa.string(),
        "whole": pa.int64(),
        "real": pa.float64(),
        "wholes": pa.list_(pa.int64()),
        "reals": pa.list_(pa.float64()),
        "messages": pa.list_(pa.struct(texts("role", "content"))),
        "calls": pa.list_(pa.struct([*texts("role", "content", "name"), ("tool_calls", pa.list_(call))])),
        "turns": pa.list_(pa.struct(texts("from", "value"))),
    }
    schema = pa.schema([(column.name, kinds[column.kind]) for column in columns])
    parquet.write_table(pa.Table.from_pylist(rows, schema=schema), path)
