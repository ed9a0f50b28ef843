"""Which models this machine has or may fetch, and what is known of one without running it."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from localpower import catalogue, elsewhere
from localpower.api.config import values
from localpower.catalogue import DEFAULT, ENTRIES, NAMES, TOY, Entry, OnHub
from localpower.catalogue.aliases import aliases
from localpower.elsewhere import spell_size
from localpower.engine.files import check_file, sha256
from localpower.engine.header import licence, quantization
from localpower.errors import ModelError, UserError
from localpower.loaded import ALPHA_RAW, usual_alpha
from localpower.subprocesses import ChildError, ask

Kind = Literal["catalogue", "toy", "elsewhere", "alias", "file"]


@dataclass(frozen=True, slots=True)
class Known:
    """A model that -m takes by name. None: not known, or there is no such thing.

    size: in words, bytes: the same as a number. template: base, chat or thinking. alpha: where nobody says one.
    path: of its file; None: it is not here. verified: whether this project has seen the file. pull: what fetches it.
    target: what an alias stands for.
    """

    name: str
    kind: Kind
    default: bool
    size: str | None = None
    bytes: int | None = None
    quantization: str | None = None
    licence: str | None = None
    template: str | None = None
    alpha: float | None = None
    alpha_source: str | None = None
    path: str | None = None
    verified: bool = True
    repo: str | None = None
    file: str | None = None
    target: str | None = None
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def usual() -> tuple[str, str]:
    """The model where nobody names one, and where that is said."""
    own = values("run").get("model")
    return (str(own.value), own.source) if own else (DEFAULT, "built in")


def known() -> list[Known]:
    """The default, what is here of the catalogue, the toy, aliases, models elsewhere, then what may be fetched."""
    default, _ = usual()
    rows = [_of_entry(entry) for entry in ENTRIES.values()]
    names = {entry.where.name for entry in ENTRIES.values() if isinstance(entry.where, OnHub)}
    rows += [Known(TOY, "toy", False, alpha=ALPHA_RAW, template="base", note="for trying")]
    rows += [Known(name, "alias", False, target=target) for name, target in sorted(aliases().items())]
    rows += [_of_file(name, path) for name, path in elsewhere.found().items() if name not in names]
    rows = [replace(row, default=row.name.lower() == default.lower()) for row in rows]
    if not any(row.default for row in rows):
        missing = Known(default, "file", False, note="there is no such model")
        row = _of_file(default, path) if (path := Path(default)).is_file() else missing
        rows.append(replace(row, default=True))
    return sorted(rows, key=lambda row: (not row.default, row.kind == "catalogue" and row.path is None))


def here() -> list[str]:
    """What -m takes on this machine: names of models whose files are here, and aliases. None raises."""
    try:
        return [row.name for row in known() if row.path is not None or row.kind in ("toy", "alias")]
    except UserError:
        return [*NAMES]


def _of_entry(entry: Entry) -> Known:
    hub = entry.where if isinstance(entry.where, OnHub) else None
    path, note, size = None, "", entry.size
    try:
        path = entry.path()
        size = path.stat().st_size
    except (ModelError, OSError):
        note = "not installed" if hub is None else ""
    return Known(
        entry.name,
        "catalogue",
        False,
        spell_size(size) if size else None,
        size,
        entry.quantization,
        entry.licence,
        entry.template,
        entry.alpha,
        entry.alpha_source,
        str(path) if path else None,
        entry.verified,
        hub.repo if hub else None,
        hub.file if hub else None,
        note=note,
    )


def _of_file(name: str, path: Path) -> Known:
    try:
        size = path.stat().st_size
    except OSError:  # it went away meanwhile
        return Known(name, "elsewhere", False, note="cannot be read")
    kind: Kind = "elsewhere" if elsewhere.is_elsewhere(name) else "file"
    own = (quantization(path), licence(path))
    return Known(name, kind, False, spell_size(size), size, *own, path=str(path))


def _located(name: str | None) -> tuple[str, Path | None]:
    """Name and file of what -m NAME means, of the usual one for None. Raises ModelError for what is no model."""
    found, path = catalogue.locate(usual()[0] if name is None else name)
    if path is not None:
        check_file(path, NAMES)
    return found, path


def path_of(name: str | None) -> Path:
    """The file that -m NAME means. Raises ModelError where there is none."""
    _, path = _located(name)
    if path is None:
        raise ModelError("the toy has no file")
    return path


def as_default(name: str) -> str:
    """What the configuration file is told, so that it holds in every folder. Raises ModelError for what is no model."""
    found, path = _located(name)
    if path is None:
        return TOY
    if os.path.exists(name):
        return os.path.abspath(name)
    return found if found.lower() in ENTRIES and name.lower() == found.lower() else name


def describe(name: str | None) -> dict[str, Any]:
    """What a model's file says of itself, what was measured of it, and what fits into memory. Raises UserError."""
    found, path = _located(name)
    if path is None:
        return _toy()
    try:
        said: dict[str, Any] = ask("localpower.api.described", str(path))
    except ChildError:
        raise ModelError(f"llama.cpp cannot read {path}", "the file is damaged") from None
    entry = catalogue.entry_of(found)
    alpha = usual_alpha(chat=said["chat_template"] is not None)
    source = "by the chat template" if said["chat_template"] is not None else "there is no chat template"
    if entry is not None:
        alpha, source = entry.alpha, entry.alpha_source
    try:
        size = path.stat().st_size
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    return {
        "name": found,
        "path": str(path),
        "sha256": sha256(path),
        "size": spell_size(size),
        **{key: value for key, value in said.items() if key != "chat_template"},
        "suggested_alpha": alpha,
        "alpha_source": source,
        **_measured(path),
        "chat_template": said["chat_template"],
    }


def _toy() -> dict[str, Any]:
    return {
        "name": TOY,
        "path": None,
        "title": "a table of random numbers that can be enumerated, for trying",
        "suggested_alpha": usual_alpha(chat=False),
        "alpha_source": "there is no chat template",
        "exactness": "exact",
        "chat_template": None,
    }


def measured_speed(name: str | None = None) -> dict[int, float] | None:
    """Tokens a second with so many rows at a time, as measured when the model was checked here; None: it was not."""
    try:
        _, path = _located(name)
        speed: dict[int, float] | None = _measured(path)["tokens_per_second"] if path else None
    except (ModelError, OSError):
        if name is not None:
            raise
        return None
    return speed


def _measured(path: Path) -> dict[str, Any]:
    """What the check of the engine found when the model ran here; nothing is measured now."""
    from localpower.engine.cores import physical_cores
    from localpower.engine.verdict import known_verdict

    own = values("run").get("threads")
    threads = int(own.value) if own and str(own.value).isdecimal() else physical_cores()
    verdict = known_verdict(path, threads=threads)
    if verdict is None:
        return dict.fromkeys(("exactness", "tokens_per_second", "measured_on"))
    speed = {rows: round(rows / seconds, 1) for rows, seconds in sorted(verdict.curve.items())}
    exactness = "exact" if verdict.exact else verdict.largest
    return {"exactness": exactness, "tokens_per_second": speed, "measured_on": verdict.dated or None}
