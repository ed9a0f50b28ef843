"""The user's own defaults: variables of the environment, and config.toml in the user's folder.

A command line goes before the environment, the environment before the file, the file before what is built in. The file
holds `alpha = 3` and the like; `[chat]` and `[run]` hold what is for one of the two alone,
`[aliases]` the user's own names of models.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from localpower.catalogue.aliases import SECTION as ALIASES
from localpower.errors import UserError
from localpower.userfile import path, read
from localpower.userfile import write as write_line

__all__ = ["KEYS", "MACHINE", "SECTIONS", "Value", "path", "values", "variable", "write"]

ANSWERS = (
    *("method", "alpha", "temperature", "max-tokens", "steps", "budget", "chains", "pick", "system"),
    *("no-markdown", "show-thoughts", "no-session"),
)
MACHINE = ("model", "models-folder", "threads", "ctx", "gpu-layers", "fast")
KEYS = (*MACHINE, *ANSWERS)
SECTIONS = ("run", "chat")


class Value(NamedTuple):
    """source: the variable's name, or the file."""

    value: Any
    source: str


def variable(key: str) -> str:
    """The environment's name for a key."""
    return f"LOCALPOWER_{key.upper().replace('-', '_')}"


def values(command: str) -> dict[str, Value]:
    """What the user has set for a command. Raises UserError for a file that says what no setting is."""
    known = KEYS if command in SECTIONS else MACHINE
    said = _file()
    where = str(path())
    found = {key: Value(value, where) for key, value in said.items() if key in known}
    found |= {key: Value(value, where) for key, value in said.get(command, {}).items() if key in known}
    named = {
        key: Value(os.environ[variable(key)], variable(key)) for key in known if os.environ.get(variable(key))
    }
    return found | named


def write(key: str, value: Any | None, section: str = "") -> Path:
    """Set a key of the file, or take it out; every other line stays as it is. Raises UserError."""
    _file()  # one that says what no setting is stays as it is
    return write_line(key, value, section)


def _file() -> Mapping[str, Any]:
    """What the file says. Raises UserError for one that is no TOML, or names what is no setting."""
    where = path()
    said = read()
    for section, inner in [
        ("", said),
        *((name, said[name]) for name in SECTIONS if isinstance(said.get(name), dict)),
    ]:
        for key, value in inner.items():
            if not section and key in SECTIONS and isinstance(value, dict):
                continue
            if not section and key == ALIASES and isinstance(value, dict):
                _check_aliases(value, where)
                continue
            if key not in KEYS or not isinstance(value, str | int | float):
                place = f"[{section}] {key}" if section else key
                raise UserError(f"{where} sets {place}, which is no setting", f"settings: {', '.join(KEYS)}")
    return said


def _check_aliases(said: Mapping[str, Any], where: Path | None) -> None:
    for name, target in said.items():
        if not isinstance(target, str) or not target:
            raise UserError(f"{where} gives the alias {name} no model", f'[aliases] holds {name} = "MODEL"')
