"""A run's folder: settings.json, problems.json and JSON lines of answers and of judgements of them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from localpower import jsonl
from localpower.errors import UserError
from localpower.grading.thoughts import OPENED, spoken

try:
    import fcntl
except ImportError:  # not on Windows: there two runs at once are not noticed
    fcntl = None  # type: ignore[assignment]

Row = dict[str, Any]
Key = tuple[str, str, str, str, int]
FORMAT = 1
_FIELDS = {  # that every reader of an answer relies on
    **dict.fromkeys(("task", "id", "model", "method", "verdict", "grader", "finish"), str),
    **dict.fromkeys(("text", "extracted"), str | None),
    **dict.fromkeys(("sample", "n_tokens", "decoded_tokens", "first_drawn"), int),
    **dict.fromkeys(("seconds", "log_p"), float),
    "token_log_p": [float],
    "token_entropy": [float],
    "tokens": [int],
    "lenient": bool,
    "acceptance_rate": float | None,
}
_JUDGED = {
    **dict.fromkeys(("task", "id", "label", "against", "judge", "judge_sha256", "texts_sha256"), str),
    **dict.fromkeys(("sample", "length_ours", "length_theirs"), int),
    **dict.fromkeys(("first", "second"), float),
}
_SETTINGS, _PROBLEMS, _ANSWERS, _LOCK = "settings.json", "problems.json", "answers.jsonl", ".lock"
JUDGEMENTS = "judgments.jsonl"


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
    judgements: list[Row]

    def thinking(self, row: Row) -> bool:
        """Whether an answer's prompt ended where a thought begins."""
        return bool(self.problems[row["task"], row["id"]]["prompts"][row["model"]].get("thinking"))

    def spoken(self, row: Row) -> str:
        """What an answer says beside its thoughts."""
        return spoken(OPENED * self.thinking(row) + row["text"])


def read(path: Path, say: jsonl.Say = jsonl.silent) -> Stored:
    """say: hears of lines that were cut off. Raises UserError for a folder that holds no run, or a damaged one."""
    if not (path / _SETTINGS).is_file():
        raise UserError(f"{path} holds no run of localpower eval", "give the folder that --out named")
    settings, problems = _json(path / _SETTINGS), _json(path / _PROBLEMS)
    if not isinstance(settings, dict) or not isinstance(problems, dict) or "problems" not in problems:
        raise UserError(f"{path} is damaged", "begin anew in another folder")
    if settings.get("format") != FORMAT:
        raise UserError(f"{path} was written by another version", f"its format is {settings.get('format')}")
    by_id = {(row["task"], row["id"]): row for row in problems["problems"]}

    def answer(value: Any) -> Row:
        row = jsonl.record(value, _FIELDS)
        by_id[row["task"], row["id"]]
        return row

    hint = "remove that line, and it is made again"
    rows = jsonl.kept(path / _ANSWERS, answer, "answer to a problem of this run", say, hint=hint)
    judgements = jsonl.kept(
        path / JUDGEMENTS, lambda value: jsonl.record(value, _JUDGED), "judgement", say, hint=hint
    )
    return Stored(path, settings, by_id, list({key(row): row for row in rows}.values()), judgements)


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
        self._answers: jsonl.Writer | None = None

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError, UserError):  # what was flushed is there
            if self._answers:
                self._answers.close()
        self._lock.close()

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

    def add(self, row: Row) -> None:
        """One more answer, on the disk before this returns. Raises UserError when it cannot be written."""
        self._answers = self._answers or jsonl.Writer(
            self.path / _ANSWERS, "what was written stays; the same command goes on from there"
        )
        self._answers.add(row)

    def rewrite(self, rows: Iterable[Row]) -> None:
        """All answers anew, in one stroke."""
        if self._answers is not None:
            self._answers.close()
            self._answers = None
        replace_file(self.path / _ANSWERS, "".join(map(jsonl.line, rows)))


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
