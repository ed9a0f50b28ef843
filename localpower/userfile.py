"""The user's configuration file: where it is, what it says, and how one line of it is changed."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localpower import inputs
from localpower.errors import UserError
from localpower.folders import users_folder


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


def write(key: str, value: Any | None, section: str = "") -> Path:
    """Set a key of a section, of the head without one, or take it out; every other line stays as it is.

    Raises UserError.
    """
    where = path()
    if where is None:
        raise UserError("there is no folder for a configuration file", "LOCALPOWER_CONFIG names one")
    before = dict(read())  # a file that cannot be read is not written over
    wanted = _changed(before, key, value, section)
    text = inputs.text(inputs.read(where), str(where)) if where.exists() else ""
    fresh = _edited(text, key, value, section)
    if _without_empty(_parsed(fresh), section) != _without_empty(wanted, section):
        place = f"{key} in [{section}]" if section else key
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


def _changed(said: dict[str, Any], key: str, value: Any | None, section: str) -> dict[str, Any]:
    inner = dict(said.get(section, {})) if section else said
    inner.pop(key, None)
    if value is not None:
        inner[key] = value
    return {**said, section: inner} if section else inner


def _without_empty(said: dict[str, Any] | None, section: str) -> dict[str, Any] | None:
    """A section without keys says nothing."""
    if said is None or not section or said.get(section):
        return said
    return {key: value for key, value in said.items() if key != section}


def _edited(text: str, key: str, value: Any | None, section: str) -> str:
    """The text with one line changed."""
    head, body, rest = _split(text if not text or text.endswith("\n") else f"{text}\n", section)
    bare = re.fullmatch(r"[A-Za-z0-9_-]+", key)
    shown = key if bare else json.dumps(key)
    forms = "|".join(re.escape(form) for form in {key, json.dumps(key), f"'{key}'"})
    lines = [line for line in body.split("\n") if not re.match(rf"[ \t]*(?:{forms})[ \t]*=", line)]
    lines.pop()  # what follows the last line break
    blank = []
    while lines and not lines[-1].strip():
        blank.append(lines.pop())
    if value is not None:
        if section and not body.strip():
            lines = [f"[{section}]"] if not head.strip() else ["", f"[{section}]"]
        lines.append(f"{shown} = {json.dumps(value)}")
    return head + "".join(f"{line}\n" for line in [*lines, *blank]) + rest


def _split(text: str, section: str) -> tuple[str, str, str]:
    """What stands before a section, the section with its title, and what stands after it."""
    titles = [match.start() for match in re.finditer(r"^[ \t]*\[", text, re.MULTILINE)]
    if not section:
        end = titles[0] if titles else len(text)
        return "", text[:end], text[end:]
    own = re.search(rf"^[ \t]*\[[ \t]*{re.escape(section)}[ \t]*\]", text, re.MULTILINE)
    if own is None:
        return text, "", ""
    end = next((start for start in titles if start > own.start()), len(text))
    return text[: own.start()], text[own.start() : end], text[end:]


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
