"""Which models this machine has, and what is known of one without running it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from localpower import catalogue, elsewhere
from localpower.api.config import values
from localpower.catalogue import DEFAULT, ENTRIES, NAMES, TOY
from localpower.engine.files import check_file, sha256
from localpower.errors import ModelError, UserError
from localpower.subprocesses import ChildError, ask


@dataclass(frozen=True, slots=True)
class Known:
    """A model that -m takes by name. size: of its file, in words; None: it has none here."""

    name: str
    size: str | None
    licence: str | None
    note: str
    path: str | None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def known() -> list[Known]:
    """The catalogue's models, then those of other programs."""
    own = values("run").get("model")
    usual = str(own.value) if own else DEFAULT
    rows = []
    for name, entry in ENTRIES.items():
        note = "default" if name == usual else ""
        try:
            rows.append(Known(name, _size(entry.path()), entry.licence, note, str(entry.path())))
        except ModelError as error:
            rows.append(Known(name, None, entry.licence, error.line(), None))
    rows.append(Known(TOY, None, None, "a table of random numbers, for trying", None))
    for name, path in elsewhere.found().items():
        rows.append(Known(name, _size(path), None, "default" if name == usual else "", str(path)))
    return rows


def path_of(name: str | None) -> Path:
    """The file that -m NAME means. Raises ModelError where there is none."""
    own = values("run").get("model")
    _, path = catalogue.locate(name if name is not None else str(own.value) if own else None)
    if path is None:
        raise ModelError("the toy has no file")
    check_file(path, NAMES)
    return path


def describe(name: str | None) -> dict[str, Any]:
    """What a model's file says of itself, and what fits into this machine's memory. Raises UserError."""
    path = path_of(name)
    try:
        found: dict[str, Any] = ask("localpower.api.described", str(path))
    except ChildError:
        raise ModelError(f"llama.cpp cannot read {path}", "the file is damaged") from None
    return {"path": str(path), "sha256": sha256(path), "size": _size(path), **found}


def _size(path: Path) -> str:
    try:
        n = float(path.stat().st_size)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    for unit in ("B", "kB", "MB"):
        if n < 1000:
            return f"{n:.0f} {unit}"
        n /= 1000
    return f"{n:.1f} GB"
