"""The user's own defaults: variables of the environment, and config.toml in the user's folder.

A command line goes before the environment, the environment before the file, the file before what is built in. The file
holds `alpha = 3` and the like; `[chat]` and `[run]` hold what is for one of the two alone.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from localpower import inputs
from localpower.errors import UserError
from localpower.folders import users_folder

ANSWERS = (
    *("method", "alpha", "temperature", "max-tokens", "steps", "budget", "chains", "pick", "system"),
    *("no-markdown", "show-thoughts", "no-session"),
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
    wanted = dict(_file())  # a file that cannot be read is not written over
    wanted.pop(key, None)
    text = inputs.text(inputs.read(where), str(where)) if where.exists() else ""
    found = re.search(r"^[ \t]*\[", text, re.MULTILINE)
    head, rest = (text[: found.start()], text[found.start() :]) if found else (text, "")
    lines = [line for line in head.split("\n") if not re.match(rf"[ \t]*{re.escape(key)}[ \t]*=", line)]
    if lines and not lines[-1].strip():
        lines.pop()
    if value is not None:
        wanted[key] = value
        lines.append(f"{key} = {json.dumps(value)}")
    fresh = "".join(f"{line}\n" for line in lines) + rest
    if _parsed(fresh) != wanted:
        raise UserError(f"{where} is written in a way that only you can change", f"set {key} there by hand")
    target = where.resolve()
    draft = target.with_name(target.name + ".new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(fresh, "utf-8")
        if target.exists():
            shutil.copymode(target, draft)
        draft.replace(target)
    except (OSError, UnicodeEncodeError) as error:
        raise UserError(
            f"cannot write {where}: {getattr(error, 'strerror', None) or 'no valid text'}"
        ) from None
    return where


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None


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
