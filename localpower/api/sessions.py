"""Chats that are kept: one JSON file each in the user's state folder, written anew after every turn in one stroke."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from localpower import jsonl
from localpower.api.chat import Chat
from localpower.api.turns import from_json
from localpower.errors import UsageProblem, UserError
from localpower.folders import kept_in, put
from localpower.loaded import ModelInfo

FORMAT = 1
_NAME = "letters, digits, dots, dashes and underscores, and begins with a letter or digit"
_LONGEST = 80
_MOST_AT_ONCE = 9  # chats that begin in one second


@dataclass(frozen=True, slots=True)
class Kept:
    """A session as it lies on the disk."""

    name: str
    path: Path
    updated: datetime.datetime
    model: str
    values: dict[str, Any]

    @property
    def n_turns(self) -> int:
        """Questions that were answered."""
        return len(self.values["chat"]["turns"])

    @property
    def title(self) -> str:
        """How it begins."""
        turns = self.values["chat"]["turns"]
        return " ".join(str(turns[0]["question"]).split()) if turns else ""


def folder() -> Path | None:
    """Where sessions lie; None: nothing can be kept."""
    state, _ = kept_in("state")
    return None if state is None else state / "sessions"


def names() -> list[str]:
    """Of all sessions, the one that was written last first."""
    place = folder()
    files = list(place.glob("*.json")) if place and place.is_dir() else []
    return [path.stem for path in sorted(files, key=_changed, reverse=True)]


def read(name: str) -> Kept:
    """Raises UserError for one that is not there, or that is damaged."""
    path = _path(name)
    try:
        values = json.loads(path.read_text("utf-8"))
        found = jsonl.record(values, {"format": int, "updated": str, "model": dict, "chat": dict})
        jsonl.record(found["chat"], {"turns": [dict], "seed": int, "started": str})
        from_json(found["chat"]["turns"])
        updated = datetime.datetime.fromisoformat(found["updated"])
        model = str(found["model"]["name"])
    except FileNotFoundError:
        raise UserError(
            f"there is no session {name}", "localpower sessions list shows those that are kept"
        ) from None
    except OSError as error:
        raise UserError(f"cannot read the session {name}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, RecursionError, UserError):
        raise UserError(f"the session {name} is damaged ({path})") from None
    if found["format"] != FORMAT:
        raise UserError(f"the session {name} was written by another version")
    return Kept(name, path, updated, model, found)


def remove(name: str) -> None:
    """Raises UserError for one that is not there, or that is open in a chat."""
    with Session(name) as session:
        if not session.exists:
            read(name)  # which says so
        session.forget()


def begun() -> Session:
    """A session that nobody named: it is called by when it began. Raises UserError."""
    name = f"{datetime.datetime.now():%Y-%m-%d-%H%M%S}"
    for i in range(_MOST_AT_ONCE):
        try:
            session = Session(name + (f"-{i}" if i else ""))
        except UserError:
            if i == _MOST_AT_ONCE - 1:
                raise
            continue
        if not session.exists:
            return session
        session.close()
    raise UserError("too many chats begin at once")


class Session:
    """A session that is open: nobody else writes it until it is closed."""

    def __init__(self, name: str) -> None:
        """Raises UserError where nothing can be kept, and while another chat has it open; UsageProblem for a name."""
        self.name, self.path = name, _path(name)
        self._lock: IO[str] | None = None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = _locked(self._lock_path)
        except BlockingIOError:
            raise UserError(
                f"another chat has the session {name} open", "leave it there, or choose another name"
            ) from None
        except OSError as error:
            raise UserError(f"cannot keep the session {name}: {error.strerror}") from None

    @property
    def _lock_path(self) -> Path:
        return self.path.with_name(f".{self.name}.lock")

    @property
    def exists(self) -> bool:
        """Whether anything was written yet."""
        return self.path.exists()

    def save(self, chat: Chat, model: ModelInfo, options: Mapping[str, Any] | None = None) -> None:
        """What was said until now, in the place of what the file held. options: as they are set. Raises UserError."""
        values = {
            "format": FORMAT,
            "updated": datetime.datetime.now().isoformat(timespec="seconds"),
            "model": model.to_dict(),
            "method": str(chat.options.method),
            "options": dict(options or {}),
            "chat": chat.to_dict(),
        }
        try:
            put(self.path, json.dumps(values).encode(), 0o600)
        except OSError as error:
            raise UserError(f"cannot keep the session {self.name}: {error.strerror}") from None

    def load(self, chat: Chat, model: ModelInfo) -> list[str]:
        """Go on with what was said; what to say about it. Raises UserError."""
        kept = read(self.name)
        same = kept.values["model"].get("sha256") == model.sha256
        chat.restore(kept.values["chat"], tokens=same)
        called = dict.fromkeys(name for turn in chat.turns for name, _ in turn.answer.calls)
        told = []
        if not same:
            told.append(f"the session was held with {kept.model}: its answers are read from their texts")
        if called and chat.prompting.tools is None:
            told.append(
                f"the session called tools ({', '.join(called)}), which this chat does not have: --tools brings them"
            )
        return told

    def options(self) -> dict[str, Any]:
        """As they were set when the session was written last. Raises UserError."""
        found = read(self.name).values.get("options")
        return dict(found) if isinstance(found, dict) else {}

    def forget(self) -> None:
        """Take the file away. Raises UserError."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise UserError(f"cannot remove {self.path}: {error.strerror}") from None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Others may open it. The lock's file goes, while it is locked: who waits for it finds that it is another."""
        if self._lock is not None:
            with contextlib.suppress(OSError):
                self._lock_path.unlink()
            self._lock.close()
            self._lock = None


def _locked(path: Path) -> IO[str]:
    """A lock's file, locked. Raises BlockingIOError where another process has it, OSError where there can be none."""
    while True:
        file = path.open("a")
        try:
            jsonl.lock(file)
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        except FileNotFoundError:
            pass
        except OSError:
            file.close()
            raise
        file.close()  # whoever had it took it away in between: what is locked is no longer there for others


def _path(name: str) -> Path:
    """Raises UsageProblem for a name that is none, UserError where nothing can be kept."""
    plain = name.replace(".", "").replace("-", "").replace("_", "")
    if not (plain.isalnum() and name[0].isalnum() and len(name) <= _LONGEST):
        raise UsageProblem(f"the name of a session has {_NAME}, got {name!r}")
    place = folder()
    if place is None:
        raise UserError("there is no folder in which a session could be kept", "LOCALPOWER_STATE names one")
    return place / f"{name}.json"


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
