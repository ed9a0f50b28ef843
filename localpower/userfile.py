"""The user's configuration file: where it is, what it says, and how one line of it is changed."""

from __future__ import annotations

import copy
import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localpower import inputs
from localpower.errors import UserError
from localpower.folders import put, users_folder

_HEADER = re.compile(r"^[ \t]*\[", re.MULTILINE)


def path() -> Path | None:
    """Where the file is, or would be; None: the user has no home."""
    folder = users_folder("config")
    return None if folder is None else folder / "config.toml"


def read() -> Mapping[str, Any]:
    """What the file says, nothing where there is none. Raises UserError for one that is no TOML."""
    where = path()
    if where is None or not where.exists():
        return {}
    try:
        return tomllib.loads(inputs.text(inputs.read(where), str(where)))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UserError(f"cannot read {where}: {error}") from None


def write(key: str, value: Any | None, table: str = "") -> Path:
    """Set a key of a table (`chat`, `presets.mine`; of the head without one), or take it out.

    Every other line stays as the user wrote it. Raises UserError; then the file is as it was.
    """
    where = path()
    if where is None:
        raise UserError("there is no folder for a configuration file", "LOCALPOWER_CONFIG names one")
    wanted = _with(dict(read()), table, key, value)  # a file that cannot be read is not written over
    text = inputs.text(inputs.read(where), str(where)) if where.exists() else ""
    fresh = _edited(text, table, key, value)
    if _parsed(fresh) != wanted:
        place = f"{table}.{key}" if table else key
        raise UserError(f"{where} is written in a way that only you can change", f"set {place} there by hand")
    target = where.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        put(target, fresh.encode())
    except (OSError, UnicodeEncodeError) as error:
        raise UserError(
            f"cannot write {where}: {getattr(error, 'strerror', None) or 'no valid text'}"
        ) from None
    return where


def _with(said: dict[str, Any], table: str, key: str, value: Any | None) -> dict[str, Any]:
    """What the file is to say. A table that has become empty stays."""
    found = copy.deepcopy(said)
    inner = found
    for name in filter(None, table.split(".")):
        if value is None and name not in inner:
            return found
        inner = inner.setdefault(name, {})
    inner.pop(key, None)
    if value is not None:
        inner[key] = value
    return found


def _edited(text: str, table: str, key: str, value: Any | None) -> str:
    """The text with one line of one table written, or left out."""
    if table and value is not None and _header(text, table) is None:
        text += "" if text.endswith("\n") or not text else "\n"
        text += f"{chr(10) if text else ''}[{table}]\n"
    before, body, after = _cut(text, table)
    shown = key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False)
    forms = "|".join(re.escape(form) for form in {key, json.dumps(key, ensure_ascii=False), f"'{key}'"})
    lines = [line for line in body.split("\n") if not re.match(rf"[ \t]*(?:{forms})[ \t]*=", line)]
    if lines and not lines[-1].strip():
        lines.pop()
    if value is not None:
        at = len(lines)
        while at and not lines[at - 1].strip():  # empty lines belong to what comes after
            at -= 1
        gap = [""] if at == len(lines) and after else []
        lines[at:at] = [f"{shown} = {json.dumps(value, ensure_ascii=False)}", *gap]
    return before + "".join(f"{line}\n" for line in lines) + after


def _header(text: str, table: str) -> re.Match[str] | None:
    """The line that opens a table."""
    return re.search(rf"^[ \t]*\[[ \t]*{re.escape(table)}[ \t]*\][^\n]*(?:\n|\Z)", text, re.MULTILINE)


def _cut(text: str, table: str) -> tuple[str, str, str]:
    """What stands before the lines of a table, those lines, and what comes after them."""
    header = _header(text, table) if table else None
    if table and header is None:
        return text, "", ""
    start = header.end() if header else 0
    following = _HEADER.search(text, start)
    end = following.start() if following else len(text)
    head = text[:start]
    return (head if not head or head.endswith("\n") else f"{head}\n"), text[start:end], text[end:]


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
