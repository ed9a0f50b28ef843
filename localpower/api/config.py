"""The user's own defaults: variables of the environment, and config.toml in the user's folder.

A command line goes before a preset (api/presets.py), that before the environment, that before the file, and that before
what is built in. The file holds `alpha = 3` and the like; `[chat]` and `[run]` hold what is for one of the two alone,
`[presets.NAME]` what `--preset NAME` sets, `[aliases]` the user's own names of models.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from localpower.catalogue.aliases import SECTION as ALIASES
from localpower.errors import UsageProblem, UserError
from localpower.userfile import path, read
from localpower.userfile import write as write_line

__all__ = ["KEYS", "MACHINE", "PRESET", "SECTIONS", "Place", "Value", "path", "values", "variable", "write"]

PRESET = (
    *("method", "alpha", "temperature", "max-tokens", "steps", "budget", "chains", "pick", "seed"),
    *("system", "stop", "think", "thinking-budget"),
)
ANSWERS = ("preset", *PRESET, "no-markdown", "show-thoughts", "no-session", "log")
MACHINE = ("model", "models-folder", "threads", "ctx", "gpu-layers", "kv", "fast", "quiet")
KEYS = (*MACHINE, *ANSWERS)
SECTIONS = ("run", "chat")
PRESETS = "presets"
_LISTS = ("stop",)  # keys of several texts
_NAME = re.compile(r"[A-Za-z0-9_-]+")


class Value(NamedTuple):
    """source: the variable's name, or the file."""

    value: Any
    source: str


class Place(NamedTuple):
    """Where a setting stands in the file. table: run, chat, presets.NAME, or empty: for all commands."""

    table: str
    key: str

    def __str__(self) -> str:
        return f"{self.table}.{self.key}" if self.table else self.key


def place_of(text: str) -> Place:
    """Of `alpha`, `chat.alpha` or `presets.mine.alpha`. Raises UsageProblem for what is no setting."""
    table, _, key = text.rpartition(".")
    key = key.replace("_", "-")
    known: tuple[str, ...] = KEYS
    if table == "" or table in SECTIONS:
        pass
    elif table.startswith(f"{PRESETS}.") and _NAME.fullmatch(table.partition(".")[2]):
        known = PRESET
    else:
        raise UsageProblem(
            f"{text} is no setting", f"before a dot stands {', '.join(SECTIONS)} or {PRESETS}.NAME"
        )
    if key not in known:
        raise UsageProblem(f"{text} is no setting; settings: {', '.join(known)}")
    return Place(table, key)


def variable(key: str) -> str:
    """The environment's name for a key."""
    return f"LOCALPOWER_{key.upper().replace('-', '_')}"


def values(command: str) -> dict[str, Value]:
    """What the user has set for a command. Raises UserError for a file that says what no setting is."""
    known = KEYS if command in SECTIONS else MACHINE
    said = content()
    where = str(path())
    found = {key: Value(value, where) for key, value in said.items() if key in known}
    found |= {key: Value(value, where) for key, value in said.get(command, {}).items() if key in known}
    named = {
        key: Value(os.environ[variable(key)], variable(key)) for key in known if os.environ.get(variable(key))
    }
    return found | named


def content() -> Mapping[str, Any]:
    """What the file says. Raises UserError for one that is no TOML, or names what is no setting."""
    where, said = path(), read()
    presets = said.get(PRESETS, {})
    tables = {name: said[name] for name in (*SECTIONS, PRESETS, ALIASES) if isinstance(said.get(name), dict)}
    _check("", {key: value for key, value in said.items() if key not in tables}, KEYS, where)
    for name in SECTIONS:
        _check(name, tables.get(name, {}), KEYS, where)
    for name, inner in presets.items() if PRESETS in tables else ():
        if not isinstance(inner, dict) or not _NAME.fullmatch(name):
            raise UserError(
                f"{where} sets {PRESETS}.{name}, which is no preset",
                f"a preset is a table, [{PRESETS}.NAME], whose name has letters, digits, dashes and underscores",
            )
        _check(f"{PRESETS}.{name}", inner, PRESET, where)
    for name, target in tables.get(ALIASES, {}).items():
        if not isinstance(target, str) or not target:
            raise UserError(f"{where} gives the alias {name} no model", f'[{ALIASES}] holds {name} = "MODEL"')
    return said


def write(place: Place, value: Any | None) -> Path:
    """Set a key of the file, or take it out; every other line stays as it is. Raises UserError."""
    content()  # one that says what no setting is stays as it is
    return write_line(place.key, value, place.table)


def _check(table: str, inner: Mapping[str, Any], known: tuple[str, ...], where: Path | None) -> None:
    """Raises UserError for a key that is not known, and for a value that no setting has."""
    for key, value in inner.items():
        texts = key in _LISTS and isinstance(value, list) and all(isinstance(each, str) for each in value)
        if key not in known or not (isinstance(value, str | int | float) or texts):
            place = f"[{table}] {key}" if table else key
            hint = f"settings: {', '.join(known)}"
            if known is PRESET:
                hint += '; those of a method follow its name, as in method = "smc:particles=8"'
            raise UserError(f"{where} sets {place}, which is no setting", hint)
