"""Names that a user gives to models: listed, made, taken out."""

from __future__ import annotations

from pathlib import Path

from localpower.api.config import Place, write
from localpower.api.models import as_default
from localpower.catalogue import ENTRIES, TOY
from localpower.catalogue.aliases import SECTION, aliases, is_name, target_of
from localpower.errors import ModelError, UserError


def known() -> dict[str, str]:
    """What each stands for. Raises UserError for a file that cannot be read."""
    return dict(sorted(aliases().items()))


def take(name: str, model: str) -> tuple[str, Path]:
    """Let a name stand for a model; what it stands for (a path becomes absolute), and the file that says so.

    A model of the catalogue need not be here yet. Raises UserError for a name that hides another model, for one that
    would lead back to itself, and for what is no model.
    """
    if not is_name(name):
        raise UserError(
            f"{name!r} is no name for an alias",
            "letters, digits and . _ + - make one, without the ending .gguf",
        )
    if name.lower() in ENTRIES or name.lower() == TOY:
        raise UserError(f"{name} is a model of the catalogue", "an alias hides none; choose another name")
    if model.lower() == name.lower() or _leads_to(model, name):
        raise UserError(f"{name} would lead back to itself")
    if model.lower() in ENTRIES:
        target = model.lower()
    elif target_of(model) is not None:
        target = model
    else:
        target = as_default(model)
    for old in aliases():
        if old.lower() == name.lower() and old != name:
            write(Place(SECTION, old), None)
    return target, write(Place(SECTION, name), target)


def _leads_to(model: str, name: str) -> bool:
    """Whether a model is an alias that stands for `name`, directly or through others."""
    known = {alias.lower(): target.lower() for alias, target in aliases().items()}
    at = model.lower()
    for _ in known:
        at = known.get(at, at)
        if at == name.lower():
            return True
    return False


def unset(name: str) -> Path:
    """Take an alias out; the file that held it. Raises UserError where there is none."""
    found = next((alias for alias in aliases() if alias.lower() == name.lower()), None)
    if found is None:
        raise ModelError(f"there is no alias {name}", "localpower models alias lists them")
    return write(Place(SECTION, found), None)
