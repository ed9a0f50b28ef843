"""A run's folder: settings.json, problems.json and answers.jsonl, one line an answer, flushed at once.

A line that was cut off by a kill or a full disk is dropped when the folder is opened again; all others stay.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from localpower.errors import UserError

try:
    import fcntl
except ImportError:  # not on Windows: there two runs at once are not noticed
    fcntl = None  # type: ignore[assignment]

Row = dict[str, Any]
Key = tuple[str, str, str, str, int]
FORMAT = 1
_FIELDS = {  # that every reader of an answer relies on
    "task", "id", "model", "method", "sample", "text", "tokens", "verdict", "extracted", "lenient", "grader", "finish",
    "n_tokens", "decoded_tokens", "first_drawn", "seconds", "log_p", "acceptance_rate", "token_log_p", "token_entropy",
}  # fmt: skip
_SETTINGS, _PROBLEMS, _ANSWERS, _LOCK = "settings.json", "problems.json", "answers.jsonl", ".lock"


def key(row: Row) -> Key:
    """What an answer is to: task, id, model, method, sample."""
    return row["task"], row["id"], row["model"], row["method"], row["sample"]


@dataclass(frozen=True, slots=True)
class Stored:
    """What a folder holds. problems by (task, id). rows: of an answer with several lines the last."""

    path: Path
    settings: dict[str, Any]
    problems: dict[tuple[str, str], Row]
    rows: list[Row]


def read(path: Path) -> Stored:
    """Raises UserError for a folder that holds no run, or a damaged one."""
    if not (path / _SETTINGS).is_file():
        raise UserError(f"{path} holds no run of localpower eval", "give the folder that --out named")
    settings, problems = _json(path / _SETTINGS), _json(path / _PROBLEMS)
    if not isinstance(settings, dict) or not isinstance(problems, dict) or "problems" not in problems:
        raise UserError(f"{path} is damaged", "begin anew in another folder")
    if settings.get("format") != FORMAT:
        raise UserError(f"{path} was written by another version", f"its format is {settings.get('format')}")
    by_id = {(row["task"], row["id"]): row for row in problems["problems"]}
    rows = [row for row in _lines(path / _ANSWERS) if _is_row(row) and (row["task"], row["id"]) in by_id]
    return Stored(path, settings, by_id, list({key(row): row for row in rows}.values()))


class Folder:
    """A run being written. One process at a time."""

    def __init__(self, path: Path) -> None:
        """Make the folder and lock it. Raises UserError when another process writes there, or nobody may."""
        self.path = path
        self._made = [each for each in (path, *path.parents) if not each.exists()]
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock: IO[str] = (path / _LOCK).open("a")
            if fcntl:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise UserError(f"another run writes to {path}", "wait for it, or choose another --out") from None
        except OSError as error:
            raise UserError(f"cannot write to {path}: {error.strerror}", "--out takes a folder") from None
        self._file: IO[str] | None = None

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *_: object) -> None:
        for file in (self._file, self._lock):
            if file is not None:
                with contextlib.suppress(OSError):  # what was flushed is there
                    file.close()

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever run here. Raises UserError for a folder with other things in it."""
        if (self.path / _SETTINGS).is_file():
            return False
        ours = {_LOCK, _PROBLEMS, f"{_PROBLEMS}.new", f"{_SETTINGS}.new"}  # of a start that was killed
        others = [path.name for path in self.path.iterdir() if path.name not in ours]
        if others:
            raise UserError(f"{self.path} has other files in it, such as {others[0]}", "choose a new --out")
        return True

    def discard(self) -> None:
        """Take away the folders that were made for a run that never began."""
        if self._made and not (self.path / _SETTINGS).exists():
            with contextlib.suppress(OSError):
                (self.path / _LOCK).unlink()
                for each in self._made:
                    each.rmdir()

    def begin(self, settings: Row, problems: Sequence[Row]) -> None:
        """Write down what the run is about; settings last, for they make the folder a run."""
        replace_file(
            self.path / _PROBLEMS, json.dumps({"problems": list(problems)}, ensure_ascii=False, indent=0)
        )
        replace_file(self.path / _SETTINGS, json.dumps(settings, ensure_ascii=False, indent=1))

    def trim(self) -> None:
        """Take a line that was cut off from the end of the answers."""
        path = self.path / _ANSWERS
        data = path.read_bytes() if path.exists() else b""
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            os.truncate(path, whole)

    def add(self, row: Row) -> None:
        """One more answer, on the disk before this returns. Raises UserError when it cannot be written."""
        try:
            if self._file is None:
                self._file = (self.path / _ANSWERS).open("a", encoding="utf-8")
            self._file.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")
            self._file.flush()
        except OSError as error:
            raise UserError(
                f"cannot write to {self.path / _ANSWERS}: {error.strerror}",
                "what was written stays; the same command goes on from there",
            ) from None

    def rewrite(self, rows: Iterable[Row]) -> None:
        """All answers anew, in one stroke."""
        if self._file is not None:
            self._file.close()
            self._file = None
        text = "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows)
        replace_file(self.path / _ANSWERS, text)


def replace_file(path: Path, text: str) -> None:
    """Write a file in one stroke: a kill leaves the old one or the new one. Raises UserError."""
    draft = path.with_name(path.name + ".new")
    try:
        draft.write_text(text, "utf-8", "surrogatepass")
        draft.replace(path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from None


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        raise UserError(f"{path} is missing or damaged") from None


def _lines(path: Path) -> list[Any]:
    """The objects of the whole lines; what follows the last line break is the line of a kill or a full disk."""
    try:
        data = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    rows = []
    for line in data[: data.rfind(b"\n") + 1].split(b"\n")[:-1]:
        try:
            rows.append(json.loads(line))
        except (ValueError, RecursionError):
            raise UserError(
                f"a line of {path} is damaged", "remove it, and the answer is made again"
            ) from None
    return rows


def _is_row(row: Any) -> bool:
    return isinstance(row, dict) and row.keys() >= _FIELDS
