"""One setting of the configuration file set or taken out, while every other line stays as the user wrote it."""

from __future__ import annotations

import copy
import json
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

from localpower import inputs
from localpower.api.config import Place, content, path
from localpower.errors import UserError

_HEADER = re.compile(r"^[ \t]*\[", re.MULTILINE)


def write(place: Place, value: Any | None) -> Path:
    """Set a key of the file, or take it out. Raises UserError; then the file is as it was."""
    where = path()
    if where is None:
        raise UserError("there is no folder for a configuration file", "LOCALPOWER_CONFIG names one")
    wanted = _with(dict(content()), place, value)  # a file that cannot be read is not written over
    text = inputs.text(inputs.read(where), str(where)) if where.exists() else ""
    fresh = _edited(text, place, value)
    if _parsed(fresh) != wanted:
        raise UserError(f"{where} is written in a way that only you can change", f"set {place} there by hand")
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


def _with(said: dict[str, Any], place: Place, value: Any | None) -> dict[str, Any]:
    """What the file is to say. A table that has become empty stays."""
    found = copy.deepcopy(said)
    inner = found
    for name in filter(None, place.table.split(".")):
        if value is None and name not in inner:
            return found
        inner = inner.setdefault(name, {})
    inner.pop(place.key, None)
    if value is not None:
        inner[place.key] = value
    return found


def _edited(text: str, place: Place, value: Any | None) -> str:
    """The text with one line of one table written, or left out."""
    if place.table and value is not None and _header(text, place.table) is None:
        text += "" if text.endswith("\n") or not text else "\n"
        text += f"{chr(10) if text else ''}[{place.table}]\n"
    before, body, after = _cut(text, place.table)
    lines = [line for line in body.split("\n") if not re.match(rf"[ \t]*{re.escape(place.key)}[ \t]*=", line)]
    if lines and not lines[-1].strip():
        lines.pop()
    if value is not None:
        at = len(lines)
        while at and not lines[at - 1].strip():  # empty lines belong to what comes after
            at -= 1
        gap = [""] if at == len(lines) and after else []
        lines[at:at] = [f"{place.key} = {json.dumps(value, ensure_ascii=False)}", *gap]
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
