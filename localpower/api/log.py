"""The log of runs: every answer of `run` and `chat`, a JSON line each, in one file in the user's state folder.

Several processes may write at once: each locks the file for the moment of its line. A line that a kill cut off is taken
away by the next write. Beyond `MOST` bytes the oldest entries go, whole ones only. Nobody else may read the file.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from localpower import jsonl
from localpower.errors import UserError
from localpower.folders import kept_in, put
from localpower.runs.answer import Answer

MOST = 16 << 20  # bytes of the file
_KEPT = 12 << 20  # of them stay when it has become larger
_LONGEST = 100_000  # characters of a prompt
_PATIENCE_S = 2.0  # for others who write
_FIELDS = {
    **dict.fromkeys(("id", "time", "command", "model", "method", "prompt", "text", "finish"), str),
    **dict.fromkeys(("seed", "n_tokens", "prompt_length"), int),
    **dict.fromkeys(("log_p", "alpha", "seconds"), float),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An answer that was given. time: ISO, of its end. command: run or chat. session: of a chat that is kept.

    prompt: its beginning, at most 100,000 characters; prompt_length: all of them. log_p: nats. seconds: of the run.
    Other fields are those of `Answer`.
    """

    id: str
    time: str
    command: str
    model: str
    model_sha256: str | None
    method: str
    alpha: float
    steps: int | None
    max_tokens: int
    seed: int
    system: str | None
    prompt: str
    prompt_length: int
    text: str
    finish: str
    log_p: float
    n_tokens: int
    cost_multiple: float | None
    seconds: float
    session: str | None = None

    @classmethod
    def of(
        cls, answer: Answer, command: str, prompt: str, system: str | None, session: str | None = None
    ) -> Entry:
        """What is kept of an answer that was just given."""
        return cls(
            id=secrets.token_hex(4),
            time=datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
            command=command,
            model=str(answer.model["name"]),
            model_sha256=answer.model["sha256"],
            system=system,
            prompt=prompt[:_LONGEST],
            prompt_length=len(prompt),
            session=session,
            **{name: getattr(answer, name) for name in _OF_ANSWER},
        )

    @classmethod
    def read(cls, value: Any) -> Entry:
        """From a line's value. Raises ValueError, TypeError or the like for what is no entry."""
        known = jsonl.record(value, _FIELDS)
        names = [each.name for each in fields(cls)]
        return cls(**{name: known[name] for name in names if name in known})

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    def has(self, text: str) -> bool:
        """Whether prompt or answer hold a text, in capitals or not."""
        return text.casefold() in f"{self.prompt}\n{self.text}".casefold()


_OF_ANSWER = (
    *("method", "alpha", "steps", "max_tokens", "seed", "text", "finish"),
    *("log_p", "n_tokens", "cost_multiple", "seconds"),
)


def path() -> Path | None:
    """Where the file is, or would be; None: nothing can be kept."""
    folder, _ = kept_in("state")
    return None if folder is None else folder / "log.jsonl"


def append(entry: Entry) -> None:
    """One more entry, on the disk before this returns. Raises UserError where it cannot be kept; then none of it is."""
    data = jsonl.line(entry.to_dict()).encode("ascii")
    with _alone() as (where, file):
        size = _mended(file)
        try:
            os.lseek(file, 0, os.SEEK_END)
            if os.write(file, data) < len(data):
                raise OSError(0, "no space left")
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(file, size)
            raise
        if size + len(data) > MOST:
            put(where, _newest(where.read_bytes(), _KEPT), 0o600)


def entries(say: jsonl.Say = jsonl.silent) -> list[Entry]:
    """All, the oldest first. say: hears of lines that are no entries. Raises UserError for an unreadable file."""
    where = path()
    if where is None or not where.exists():
        return []
    try:
        if not where.is_file():
            raise UserError(f"{where} is no file", "move it away")
        lines = where.read_bytes().splitlines(keepends=True)
    except OSError as error:
        raise UserError(f"cannot read {where}: {error.strerror}") from None
    found = [(line, _entry(line)) for line in lines]
    if wrong := sum(entry is None and bool(line.strip()) and line.endswith(b"\n") for line, entry in found):
        say(f"note: {wrong} lines of {where} are no entries and are left out")
    return [entry for _, entry in found if entry is not None]


def find(name: str, say: jsonl.Say = jsonl.silent) -> Entry:
    """The entry whose id begins so. Raises UserError where there is none, or several."""
    found = [entry for entry in entries(say) if entry.id.startswith(name.lower())]
    if len(found) != 1:
        many = "there are several entries whose id begins with" if found else "there is no entry"
        raise UserError(f"{many} {name}", "localpower log list shows them")
    return found[0]


def remove(names: Sequence[str]) -> int:
    """Take entries out; how many. Raises UserError, and then nothing has changed."""
    gone = {find(name).id for name in names}
    with _alone() as (where, _):
        lines = where.read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if (entry := _entry(line)) is None or entry.id not in gone]
        put(where, b"".join(kept), 0o600)
    return len(gone)


def clear() -> int:
    """Take everything out; how many entries that were."""
    n = len(entries())
    with _alone() as (_, file):
        os.ftruncate(file, 0)
    return n


def _entry(line: bytes) -> Entry | None:
    try:
        return Entry.read(jsonl.loads(line))
    except (ValueError, LookupError, TypeError, RecursionError):
        return None


@contextlib.contextmanager
def _alone() -> Iterator[tuple[Path, int]]:
    """The file, open while nobody else writes it. Raises UserError."""
    where = path()
    if where is None:
        raise UserError("there is no folder in which a log could be kept", "LOCALPOWER_STATE names one")
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NONBLOCK", 0)  # a pipe must not wait for a reader
    try:
        where.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(where.with_name(".log.lock"), flags, 0o600), "r+b") as lock:
            _wait(lambda: jsonl.lock(lock))
            file = os.open(where, flags, 0o600)
            try:
                if not stat.S_ISREG(os.fstat(file).st_mode):
                    raise OSError(0, "it is no file")
                if hasattr(os, "fchmod"):
                    os.fchmod(file, 0o600)
                yield where, file
            finally:
                os.close(file)
    except BlockingIOError:
        raise UserError(f"another process holds {where}") from None
    except OSError as error:
        raise UserError(f"cannot write {where}: {error.strerror}") from None


def _wait(locked: Callable[[], None]) -> None:
    """Raises BlockingIOError when patience ends."""
    end = time.monotonic() + _PATIENCE_S
    while True:
        try:
            locked()
            return
        except BlockingIOError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)


def _mended(file: int) -> int:
    """The size of the file without a last line that was cut off, which is taken away."""
    size = os.fstat(file).st_size
    os.lseek(file, max(size - 1, 0), os.SEEK_SET)
    if os.read(file, 1) in (b"", b"\n"):
        return size
    os.lseek(file, 0, os.SEEK_SET)
    whole = os.read(file, size).rfind(b"\n") + 1
    os.ftruncate(file, whole)
    return whole


def _newest(data: bytes, most: int) -> bytes:
    """The whole lines at the end, of at most so many bytes; the last one stays, however long it is."""
    lines, size, n = data.splitlines(keepends=True), 0, 0
    for line in reversed(lines):
        size += len(line)
        if size > most and n:
            break
        n += 1
    return b"".join(lines[len(lines) - n :])


def switched_on(options: Mapping[str, Any]) -> bool:
    """Whether answers are kept: --log, and not a chat of which nothing is to be kept."""
    return bool(options.get("log")) and not options.get("no_session")
