"""A database in memory, within limits of time, memory and rows."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence

from localpower.tools.environment import Json, Tool

_ROWS, _CELL = 50, 200  # that a result shows, and characters of a value in it
_PAGES = 4096  # of 4 KB: the largest database
_SECONDS, _INSTRUCTIONS = 2.0, 1000  # of a statement; how often the time is looked at
_LONGEST = 1 << 20  # bytes of a text or a statement
_REFUSED = {  # files outside, and settings that the limits hang on
    *(sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH, sqlite3.SQLITE_PRAGMA),
    *(sqlite3.SQLITE_CREATE_TEMP_TABLE, sqlite3.SQLITE_CREATE_TEMP_VIEW),  # which a copy would not have
    *(sqlite3.SQLITE_CREATE_TEMP_TRIGGER, sqlite3.SQLITE_CREATE_TEMP_INDEX),
}
_FUNCTIONS = {  # files, and what is not the same twice: chance and the time of day
    *("load_extension", "randomblob", "random", "date", "time", "datetime", "julianday", "unixepoch"),
    *("strftime", "timediff", "current_date", "current_time", "current_timestamp"),
}


class Sqlite:
    """One tool, `sql(statement)`. script: that makes its tables, at every reset.

    check: whether the task is fulfilled in a database; None: no opinion. Equal statements give equal texts: what asks
    for random numbers or the time of day is refused.
    """

    deterministic = True
    tools = (
        Tool(
            "sql",
            f"Runs one SQLite statement and gives its rows, {_ROWS} at most.",
            {"type": "object", "properties": {"statement": {"type": "string"}}, "required": ["statement"]},
        ),
    )

    def __init__(
        self,
        script: str = "",
        check: Callable[[sqlite3.Connection], bool] | None = None,
        seconds: float = _SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._script, self._check, self._seconds, self._clock = script, check, seconds, clock
        self._base = _opened()
        self.reset(0)

    def reset(self, seed: int) -> None:
        """The script's tables."""
        self._base.close()
        self._base = _opened()
        self._base.executescript(self._script)
        self._base.commit()

    def call(self, name: str, arguments: Mapping[str, Json]) -> str:
        """The rows, or what changed. Raises sqlite3.Error, TimeoutError; then nothing has changed."""
        statement, base = str(arguments["statement"]), self._base
        end, late = self._clock() + self._seconds, False

        def over() -> int:
            nonlocal late
            late = self._clock() > end
            return late

        before = base.total_changes
        base.set_progress_handler(over, _INSTRUCTIONS)
        base.set_authorizer(_allowed)
        try:
            cursor = base.execute(statement)
            rows = cursor.fetchmany(_ROWS + 1)
            names = [column[0] for column in cursor.description or ()]
            cursor.close()
            base.set_authorizer(None)
            base.commit()
        except BaseException:
            base.set_progress_handler(None, 0)
            base.set_authorizer(None)
            base.rollback()
            if late:
                raise TimeoutError(f"the statement took longer than {self._seconds:g} s") from None
            raise
        finally:
            base.set_progress_handler(None, 0)
        if names:
            return _table(names, rows)
        return f"done ({base.total_changes - before} rows changed)"

    def fork(self) -> Sqlite:
        """A copy of the database."""
        other = Sqlite("", self._check, self._seconds, self._clock)
        other._script = self._script
        self._base.backup(other._base)
        return other

    def state(self) -> Json:
        """The statements that would make the database again."""
        return list(self._base.iterdump())

    def check(self) -> bool | None:
        """As the task says."""
        return None if self._check is None else self._check(self._base)


def _opened() -> sqlite3.Connection:
    """An empty database whose limits hold."""
    base = sqlite3.connect(":memory:", check_same_thread=False)
    base.execute(f"PRAGMA max_page_count = {_PAGES}")
    base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
    base.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, _LONGEST)
    base.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    return base


def _allowed(action: int, one: str | None, two: str | None, *_: str | None) -> int:
    refused = action in _REFUSED or (action == sqlite3.SQLITE_FUNCTION and (two or "").lower() in _FUNCTIONS)
    return sqlite3.SQLITE_DENY if refused else sqlite3.SQLITE_OK


def _table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Values between bars, a row a line."""
    lines = [" | ".join(names), *(" | ".join(map(_cell, row)) for row in rows[:_ROWS])]
    more = [f"... (the first {_ROWS} rows)"] if len(rows) > _ROWS else []
    return "\n".join([*lines, *more] if rows else [*lines, "(no rows)"])


def _cell(value: object) -> str:
    shown = "NULL" if value is None else value.hex() if isinstance(value, bytes) else str(value)
    return shown if len(shown) <= _CELL else f"{shown[:_CELL]}..."
