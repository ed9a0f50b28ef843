"""Models known by name: from a name to a file."""

from __future__ import annotations

import os
from pathlib import Path

from localpower.catalogue.aliases import target_of
from localpower.catalogue.entries import ENTRIES, Entry, OnHub, Packaged
from localpower.elsewhere import is_elsewhere
from localpower.elsewhere import locate as found_elsewhere
from localpower.errors import ModelError
from localpower.inputs import readable

__all__ = ["DEFAULT", "TOY", "NAMES", "ENTRIES", "Entry", "OnHub", "Packaged", "locate", "entry_of"]

DEFAULT = "smollm2"
TOY = "toy"  # a table of random numbers: it has no file
NAMES = (DEFAULT, "lab-base", "lab-grpo", "lab-sft", "lab-tools", TOY)  # that come with localpower


def locate(name: str | None) -> tuple[str, Path | None]:
    """Name and file of a model: a catalogue name (any case), one of another program's, an alias, else a path.

    None: LOCALPOWER_MODEL, else the default. A file of that name goes before it, a folder does not. The toy has
    no file. An alias counts as what it stands for. Raises ModelError for an empty name and for a model that is not
    on this machine.
    """
    if name is None and not os.environ.get("LOCALPOWER_MODEL"):
        return DEFAULT, ENTRIES[DEFAULT].path()
    wanted = name if name is not None else os.environ["LOCALPOWER_MODEL"]
    if not wanted:
        raise ModelError("the model's name is empty", "leave -m out for the default")
    if wanted.lower() == TOY:
        return TOY, None
    if Path(wanted).is_file():
        return readable(Path(wanted).stem), Path(wanted)
    entry = ENTRIES.get(wanted.lower())
    if entry is not None:
        return entry.name, entry.path()
    if is_elsewhere(wanted):
        return wanted, found_elsewhere(wanted)
    target = target_of(wanted)
    if target is not None:
        return locate(target)
    if os.sep not in wanted and not os.path.lexists(wanted):
        guess(wanted)
    return readable(Path(wanted).stem), Path(wanted)


def entry_of(name: str) -> Entry | None:
    """The entry of a model that `locate` named: also where it was named by its place on the hub."""
    entry = ENTRIES.get(name.lower())
    if entry is not None or not name.lower().startswith("hub:"):
        return entry
    for each in ENTRIES.values():
        if isinstance(each.where, OnHub) and each.where.name == f"hub:{name[4:].removesuffix('.gguf')}":
            return each
    return None


def guess(wanted: str) -> None:
    """Raises ModelError for a name that is nearly one of the catalogue's."""
    from difflib import get_close_matches

    near = get_close_matches(wanted.lower(), [*ENTRIES, TOY], n=1, cutoff=0.75)
    if near:
        raise ModelError(f"there is no model {wanted}", f"did you mean {near[0]}?")
