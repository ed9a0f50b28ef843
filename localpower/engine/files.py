"""A model file on disk: is it one, and which one. Answers are kept between runs."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from localpower.engine.parts import parts_of
from localpower.errors import ModelError
from localpower.folders import kept_in, put
from localpower.inputs import other_than_file

_MAGIC = b"GGUF"
_MOST = 500  # entries of a kind; the longest unused go first


def check_file(path: Path, names: Sequence[str]) -> None:
    """Raise ModelError unless `path` is a readable, non-empty file that begins like a GGUF, and so are its other parts.

    names: that may stand in the place of a path, for the hint.
    """
    _check_one(path, names)
    for part in parts_of(path)[1:]:
        _check_one(part, names)


def _check_one(path: Path, names: Sequence[str]) -> None:
    try:
        kind = other_than_file(path)
        if kind:
            raise ModelError(f"{path} is {kind}", "give a .gguf file")
        with path.open("rb") as file:
            head = file.read(len(_MAGIC))
    except FileNotFoundError:
        raise ModelError(
            f"there is no file {path}",
            f"-m takes a GGUF file or a name: {', '.join(names)}; localpower models list shows more",
        ) from None
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    if not head:
        raise ModelError(f"{path} is empty", "was the download cut short?")
    if head != _MAGIC:
        raise ModelError(f"{path} is not a GGUF file", "convert the model to GGUF first")


def recall(kind: str, key: str) -> Any:
    """A JSON value kept under (kind, key), or None: missing or unreadable entries are made anew."""
    entry = _entry(kind, key)
    if entry is None:
        return None
    try:
        value = json.loads(entry.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    with contextlib.suppress(OSError):
        os.utime(entry)  # it is in use
    return value


def remember(kind: str, key: str, value: Any) -> None:
    """Keep a JSON value. A cache that cannot be written costs time later, nothing else."""
    entry = _entry(kind, key)
    if entry is None:
        return
    with contextlib.suppress(OSError):
        entry.parent.mkdir(parents=True, exist_ok=True)
        put(entry, json.dumps(value).encode())
        _prune(entry.parent)


def _prune(folder: Path) -> None:
    """Keep the entries that were used last. Raises OSError where another run is quicker."""
    entries = list(folder.iterdir())
    if len(entries) > _MOST:
        entries.sort(key=lambda entry: entry.stat().st_mtime_ns)
        for entry in entries[:-_MOST]:
            entry.unlink()


def _entry(kind: str, key: str) -> Path | None:
    folder, _ = kept_in("cache")
    name = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return folder / kind / f"{name}.json" if folder else None


def sha256(path: Path) -> str:
    """Which model it is: the checksum of its file; of the checksums of its parts where it has several."""
    parts = [_sha256(part) for part in parts_of(path)]
    return parts[0] if len(parts) == 1 else hashlib.sha256("".join(parts).encode()).hexdigest()


def _sha256(path: Path) -> str:
    """Computed again only when the file is another, or was changed or moved."""
    found = path.stat()
    key = f"{path.resolve()} {found.st_size} {found.st_ino} {found.st_mtime_ns} {found.st_ctime_ns}"
    known = recall("sha256", key)
    if isinstance(known, str):
        return known
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    remember("sha256", key, digest)
    return digest
