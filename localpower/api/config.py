"""The user's own defaults: variables of the environment, and config.toml in the user's folder.

A command line goes before the environment, the environment before the file, the file before what is built in. The file
holds `alpha = 3` and the like; `[chat]` and `[run]` hold what is for one of the two alone.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from localpower import inputs
from localpower.errors import UserError
from localpower.folders import users_folder

ANSWERS = (
    *("method", "alpha", "temperature", "max-tokens", "steps", "budget", "chains", "pick", "system"),
    *("no-markdown", "no-session"),
)
MACHINE = ("model", "threads", "ctx", "gpu-layers", "fast")
KEYS = (*MACHINE, *ANSWERS)
SECTIONS = ("run", "chat")


class Value(NamedTuple):
    """source: the variable's name, or the file."""

    value: Any
    source: str


def path() -> Path | None:
    """Where the file is, or would be; None: the user has no home."""
    folder = users_folder("config")
    return None if folder is None else folder / "config.toml"


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


def write(key: str, value: Any | None) -> Path:
    """Set a key of the file, or take it out; every other line stays as it is. Raises UserError."""
    where = path()
    if where is None:
        raise UserError("there is no folder for a configuration file", "LOCALPOWER_CONFIG names one")
    _file()  # one that cannot be read is not written over
    text = inputs.text(inputs.read(where), str(where)) if where.exists() else ""
    head, bracket, rest = re.match(r"(.*?)(^[ \t]*\[|\Z)(.*)", text, re.DOTALL | re.MULTILINE).groups()  # type: ignore[union-attr]
    lines = [line for line in head.splitlines() if not re.match(rf"[ \t]*{re.escape(key)}[ \t]*=", line)]
    lines += [] if value is None else [f"{key} = {json.dumps(value, ensure_ascii=False)}"]
    draft = where.with_name(where.name + ".new")
    try:
        where.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text("".join(f"{line}\n" for line in lines) + bracket + rest, "utf-8")
        draft.replace(where)
    except OSError as error:
        raise UserError(f"cannot write {where}: {error.strerror}") from None
    return where


def _file() -> Mapping[str, Any]:
    """What the file says. Raises UserError for one that is no TOML, or names what is no setting."""
    where = path()
    if where is None or not where.exists():
        return {}
    try:
        said = tomllib.loads(inputs.text(inputs.read(where), str(where)))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UserError(f"cannot read {where}: {error}") from None
    for section, inner in [
        ("", said),
        *((name, said[name]) for name in SECTIONS if isinstance(said.get(name), dict)),
    ]:
        for key, value in inner.items():
            if not section and key in SECTIONS and isinstance(value, dict):
                continue
            if key not in KEYS or not isinstance(value, str | int | float):
                place = f"[{section}] {key}" if section else key
                raise UserError(f"{where} sets {place}, which is no setting", f"settings: {', '.join(KEYS)}")
    return said
