"""Fetching a model by its name, and taking it away again."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from localpower import catalogue
from localpower.api.packages import install
from localpower.catalogue import ENTRIES, TOY, OnHub, Packaged
from localpower.catalogue.aliases import target_of
from localpower.elsewhere import hub_cache, is_elsewhere, spell_size
from localpower.engine.files import check_file
from localpower.errors import ModelError, UserError
from localpower.hub.repo import Progress, Several, chosen, models_of, parsed

__all__ = ["Progress", "Pulled", "Several", "pull", "removable", "remove"]


@dataclass(frozen=True, slots=True)
class Pulled:
    """A model that is here now. name: for -m. came: bytes that were fetched; 0: it was here. seconds: all of it."""

    name: str
    path: Path
    size: int
    came: int
    seconds: float


def pull(wanted: str, progress: Progress) -> Pulled:
    """Fetch a model of the catalogue, or of the hub by OWNER/REPO/FILE. Raises UserError.

    A wrong or cut file never takes the place of a model; what came of a cut one is kept, and fetched no second time.
    """
    start = time.monotonic()
    if not wanted.strip():
        raise ModelError("the model's name is empty", "localpower models list shows names")
    name = target_of(wanted) or wanted
    entry = ENTRIES.get(name.lower())
    if name.lower() == TOY:
        raise ModelError("the toy has no file to fetch", "-m toy works as it is")
    if entry is not None and not isinstance(entry.where, OnHub):
        came = 0
        if isinstance(entry.where, Packaged):
            came = _packaged(entry, entry.where, progress)
        path = entry.path()
        return Pulled(entry.name, path, path.stat().st_size, came, time.monotonic() - start)
    if is_elsewhere(name) and not name.lower().startswith("hub:"):
        raise ModelError(f"{name} is here already: another program, or you, put it there")
    if entry is None and "/" not in name:
        catalogue.guess(name)
        raise ModelError(
            f"there is no model {name} in the catalogue",
            "localpower models list shows those that are; of the hub name OWNER/REPO",
        )
    if entry is not None and isinstance(entry.where, OnHub):
        progress.note(
            f"{entry.name} is {entry.where.repo}/{entry.where.file}; nobody of localpower has tried this file"
        )
        repo, file = entry.where.repo, entry.where.file
    else:
        repo, file = parsed(name)
    progress.said(f"Asking for {repo}")
    model = chosen(repo, file, models_of(repo))
    from localpower.hub.cache import put

    path, came = put(model, progress)
    return Pulled(entry.name if entry else model.name, path, model.size, came, time.monotonic() - start)


def missing(name: str | None) -> catalogue.Entry | None:
    """The catalogue's model that is meant by a name, or by none, where it is not on this machine and may be fetched."""
    wanted = name or os.environ.get("LOCALPOWER_MODEL") or catalogue.DEFAULT
    if Path(wanted).is_file():
        return None
    entry = ENTRIES.get((target_of(wanted) or wanted).lower())
    if entry is None or not isinstance(entry.where, OnHub | Packaged):
        return None
    try:
        entry.path()
    except ModelError:
        return entry
    return None


def _packaged(entry: catalogue.Entry, where: Packaged, progress: Progress) -> int:
    try:
        entry.path()
    except ModelError:
        install(where, progress.said)
        return entry.path().stat().st_size
    return 0


def removable(name: str) -> tuple[Path, int]:
    """File and bytes of a model that localpower may remove. Raises UserError, which says whose it is, for others."""
    target = target_of(name)
    if name.lower() not in ENTRIES and target is not None:
        raise UserError(
            f"{name} is your alias of {target}", f"localpower models alias --remove {name}, or rm {target}"
        )
    if (absent := missing(name)) is not None:
        raise ModelError(f"the model {absent.name} is not on this machine", "there is nothing to remove")
    found, path = catalogue.locate(name)
    if path is None:
        raise ModelError("the toy has no file")
    if not path.exists():
        check_file(path, catalogue.NAMES)
    entry = catalogue.entry_of(found)
    if entry is not None and isinstance(entry.where, Packaged):
        raise UserError(
            f"{found} belongs to the Python package {entry.where.package}",
            f"python -m pip uninstall {entry.where.package} removes it",
        )
    if entry is not None and not isinstance(entry.where, OnHub):
        raise UserError(f"{found} belongs to localpower itself", "it is removed with it")
    owners = {"ollama": "Ollama: ollama rm removes it", "lmstudio": "LM Studio", "folder": "you"}
    owner = owners.get(found.partition(":")[0].lower() if is_elsewhere(found) else "", "")
    inside = Path(path).absolute().is_relative_to(hub_cache().absolute())
    if owner or not inside:
        raise UserError(
            f"{path} belongs to {owner or 'you'}", "localpower removes only what is in the hub's cache"
        )
    from localpower.engine.parts import parts_of

    try:
        parts = parts_of(path)
    except ModelError:
        parts = [path]
    return path, sum(part.stat().st_size for part in parts)


def remove(path: Path) -> str:
    """Remove a model of the hub's cache; the room that is free now, in words. Raises UserError."""
    from localpower.hub.cache import take_out

    return spell_size(take_out(path))
