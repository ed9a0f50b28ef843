"""A model file on disk: is it one, and which one. Answers are kept between runs."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import platformdirs

from localpower.errors import ModelError
from localpower.inputs import other_than_file

_MAGIC = b"GGUF"


def check_file(path: Path, names: Sequence[str]) -> None:
    """Raise ModelError unless `path` is a readable, non-empty file that begins like a GGUF.

    names: that may stand in the place of a path, for the hint.
    """
    try:
        kind = other_than_file(path)
        if kind:
            raise ModelError(f"{path} is {kind}", "give a .gguf file")
        with path.open("rb") as file:
            head = file.read(len(_MAGIC))
    except FileNotFoundError:
        raise ModelError(
            f"there is no file {path}", f"-m takes a GGUF file or a name: {', '.join(names)}"
        ) from None
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from None
    if not head:
        raise ModelError(f"{path} is empty", "was the download cut short?")
    if head != _MAGIC:
        raise ModelError(f"{path} is not a GGUF file", "convert the model to GGUF first")


def cache_folder() -> Path:
    """Where checksums and verdicts are kept; LOCALPOWER_CACHE moves it."""
    return Path(os.environ.get("LOCALPOWER_CACHE") or platformdirs.user_cache_dir("localpower"))


def recall(kind: str, key: str) -> Any:
    """A JSON value kept under (kind, key), or None: missing or unreadable entries are made anew."""
    try:
        return json.loads(_entry(kind, key).read_text("utf-8"))
    except (OSError, ValueError):
        return None


def remember(kind: str, key: str, value: Any) -> None:
    """Keep a JSON value. A cache that cannot be written costs time later, nothing else."""
    entry = _entry(kind, key)
    part = entry.with_suffix(f".{os.getpid()}")
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(value), "utf-8")
        part.replace(entry)  # two runs at once each leave a whole file
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()


def _entry(kind: str, key: str) -> Path:
    name = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return cache_folder() / kind / f"{name}.json"


def sha256(path: Path) -> str:
    """Checksum of a file; computed again only when its size or time of change differ."""
    stat = path.stat()
    key = f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns}"
    known = recall("sha256", key)
    if isinstance(known, str):
        return known
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    remember("sha256", key, digest)
    return digest
