"""A run's folder: settings.json, problems.json and JSON lines of answers and of judgements of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localpower import jsonl
from localpower.errors import UserError
from localpower.grading.thoughts import OPENED, spoken

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
_SETTINGS, _PROBLEMS, _ANSWERS, LOCK = "settings.json", "problems.json", "answers.jsonl", ".lock"
_BEGUN = {LOCK, *(name + end for name in (_PROBLEMS, _SETTINGS) for end in ("", ".new"))}  # before an answer
_AGAIN = "remove that line, and it is made again"
JUDGEMENTS = "judgments.jsonl"
PARTS, LOGS = "parts", "slurm"  # folders in a run's folder: of shards, and of what a cluster's jobs print


def key(row: Row) -> Key:
    """What an answer is to: task, id, model, method, sample."""
    return row["task"], row["id"], row["model"], row["method"], row["sample"]


@dataclass(frozen=True, slots=True)
class Stored:
    """What a folder holds. problems by (task, id). rows: of an answer with several lines the last.

    lacking: what to say of answers that are not there, of a run in several parts (evals/parts.py).
    """

    path: Path
    settings: dict[str, Any]
    problems: dict[tuple[str, str], Row]
    rows: list[Row]
    judgements: list[Row]
    lacking: tuple[str, ...] = ()

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

    rows = jsonl.kept(path / _ANSWERS, answer, "answer to a problem of this run", say, hint=_AGAIN)
    last = {key(row): row for row in rows}
    return Stored(path, settings, by_id, list(last.values()), judgements_in(path, say))


def judgements_in(path: Path, say: jsonl.Say = jsonl.silent) -> list[Row]:
    """The judgements that a folder holds. Raises UserError for a damaged line."""

    def judgement(value: Any) -> Row:
        return jsonl.record(value, _JUDGED)

    return jsonl.kept(path / JUDGEMENTS, judgement, "judgement", say, hint=_AGAIN)


def has_run(path: Path) -> bool:
    """Whether a folder is one of a run, whole or a part of it."""
    return (path / _SETTINGS).is_file()


def parts_in(path: Path) -> list[Path]:
    """The folders of parts that have begun, in the order of their names with numbers read as numbers."""
    with suppress(OSError):
        found = [each for each in (path / PARTS).iterdir() if has_run(each)]
        return sorted(found, key=lambda each: [*map(int, re.findall(r"\d{1,9}", each.name)), each.name])
    return []


@contextmanager
def at_rest(path: Path) -> Iterator[None]:
    """While entered nobody writes to a run's folder or its parts. Raises UserError while another process does."""
    with ExitStack() as held:
        for each in (path, *parts_in(path)):
            with suppress(OSError):  # no lock: nobody has written since locks are there, or none can be had
                file = held.enter_context((each / LOCK).open("rb"))
                try:
                    jsonl.lock(file, shared=each == path)  # shards that begin now share it
                except BlockingIOError:
                    raise UserError(
                        f"an eval or regrade is writing to {each}",
                        "wait for its end, or stop it by Ctrl-C: the answers that it has made stay",
                    ) from None
        yield


def busy(path: Path) -> UserError:
    """What to say of a folder that another process writes to."""
    return UserError(f"another run writes to {path}", "wait for it, or choose another --out")


class Folder:
    """A run being written. One process at a time. A start that fails before its first answer leaves nothing."""

    def __init__(self, path: Path) -> None:
        """Make the folder and lock it. Raises UserError when another process writes there, or nobody may."""
        self.path = path
        self._answers: jsonl.Writer | None = None
        self._made = [each for each in (path, *path.parents) if not each.exists()]
        lock, self._held = path / LOCK, ExitStack()
        mine = set() if lock.exists() else {LOCK}
        self._old = _BEGUN - mine  # nothing else of it is ours as long as the lock is not
        try:
            path.mkdir(parents=True, exist_ok=True)
            jsonl.lock(self._held.enter_context(lock.open("a")))
            self._old = {each.name for each in path.iterdir()} - mine
        except BlockingIOError:
            self._held.close()
            raise busy(path) from None
        except OSError as error:
            self._discard()
            raise UserError(f"cannot write to {path}: {error.strerror}", "--out takes a folder") from None

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with suppress(OSError, UserError):  # what was flushed is there
            if self._answers:
                self._answers.close()
        if kind is not None:
            self._discard()
        self._held.close()

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever run here. Raises UserError for a folder with other things in it."""
        if (self.path / _SETTINGS).is_file():
            return False
        others = [path.name for path in self.path.iterdir() if path.name not in (*_BEGUN, PARTS, LOGS)]
        if others and not parts_in(self.path):
            raise UserError(f"{self.path} has other files in it, such as {others[0]}", "choose a new --out")
        return True

    def _discard(self) -> None:
        """Take away what a start that failed has made, unless there is an answer."""
        if _ANSWERS not in self._old and (self.path / _ANSWERS).exists():
            return
        with suppress(OSError):
            for name in _BEGUN - self._old:
                (self.path / name).unlink(missing_ok=True)
            for each in self._made:
                each.rmdir()

    def begin(self, settings: Row, problems: Sequence[Row]) -> None:
        """Write down what the run is about; settings last, for they make the folder a run."""
        replace_file(self.path / _PROBLEMS, json.dumps({"problems": list(problems)}, indent=0))
        replace_file(self.path / _SETTINGS, json.dumps(settings, indent=1))

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
    """Write a file in one stroke: a kill leaves the old one or the new one. Raises UserError.

    A file that says this already is left alone, so that a finished run needs no room on the disk. The text is ASCII.
    """
    draft, data = path.with_name(path.name + ".new"), text.encode("ascii")  # a name that `is_new` knows
    try:
        if path.exists() and path.read_bytes() == data:
            return
        draft.write_bytes(data)
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise UserError(f"cannot write {path}: {error.strerror}") from None


def _json(path: Path) -> Any:
    """surrogatepass: version 0.1 wrote a model's path so, where its bytes were no UTF-8."""
    try:
        return json.loads(path.read_bytes().decode("utf-8-sig", "surrogatepass"))
    except (OSError, ValueError, RecursionError):
        raise UserError(f"{path} is missing or damaged") from None
