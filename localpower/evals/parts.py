"""A run in parts: shards of its problems, each a folder in DIR/parts that any machine writes by itself.

A problem is in the shard that the sha256 of its id says, whatever the file's order or the limit, so shards of one N
are disjoint and all of them together are the run. Every part says what it is about, so that parts may be made on
machines that share nothing and be copied together; parts of other settings are refused. An answer that several parts
have counts once: its chance depends on seed, problem and sample alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from localpower import jsonl
from localpower.errors import UsageProblem, UserError
from localpower.evals import store
from localpower.evals.settings import mixture
from localpower.evals.store import Key, Row, Stored

MOST = 100_000
_NAMED = 8  # parts in a note
_NAME = re.compile(r"([0-9]{1,6})-of-([0-9]{1,6})")
_FORM = re.compile(r"([0-9]{1,6})/([0-9]{1,6})")


@dataclass(frozen=True, slots=True)
class Shard:
    """The `number`-th of `of` parts, counted from 1."""

    number: int
    of: int

    def __post_init__(self) -> None:
        """Raises UsageProblem for a part that there is not."""
        if not 1 <= self.number <= self.of <= MOST:
            raise UsageProblem(
                f"--shard {self.number}/{self.of} is no part of a run", "I/N has I from 1 to N, such as 1/4"
            )

    @classmethod
    def read(cls, text: str) -> Self:
        """From I/N. Raises UsageProblem."""
        match = _FORM.fullmatch(text.strip())
        if match is None:
            raise UsageProblem(f"--shard takes I/N, such as 1/4, got {text!r}")
        return cls(int(match[1]), int(match[2]))

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"{self.number}-of-{self.of}"

    def has(self, problem_id: str) -> bool:
        """Whether a problem is in this shard: by a remainder of its sha256.

        --limit takes the first by sha256, which ranges of it would all put into one shard.
        """
        tail = hashlib.sha256(problem_id.encode()).digest()[-8:]
        return int.from_bytes(tail, "big") % self.of == self.number - 1


class Part(store.Folder):
    """The folder of a shard, being written. Other shards may be written at the same time, the whole run may not."""

    def __init__(self, whole: Path, shard: Shard) -> None:
        """Raises UserError when another process writes this part, or the run as a whole."""
        self._whole, self._shared = whole, ExitStack()
        self._fresh = not (whole / store.LOCK).exists()
        super().__init__(whole / store.PARTS / shard.name)
        try:
            jsonl.lock(self._shared.enter_context((whole / store.LOCK).open("a+")), shared=True)
        except (BlockingIOError, OSError) as error:
            self.__exit__(type(error), error, None)
            if isinstance(error, BlockingIOError):
                raise store.busy(whole) from None
            raise UserError(f"cannot write to {whole}: {error.strerror}", "--out takes a folder") from None

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        super().__exit__(kind, *rest)
        self._shared.close()

    def _discard(self) -> None:
        with suppress(OSError):
            if self._fresh and not [each for each in self.path.parent.iterdir() if each != self.path]:
                (self._whole / store.LOCK).unlink(missing_ok=True)  # no other shard has begun
        super()._discard()


def has_any(path: Path) -> bool:
    """Whether a folder holds a run, whole or in parts."""
    return store.has_run(path) or bool(store.parts_in(path))


def members(path: Path) -> list[Path]:
    """The folders whose answers make up a run: its own, where it has answers, and those of its parts."""
    return [each for each in (path, *store.parts_in(path)) if store.has_run(each)]


def read_run(path: Path, say: jsonl.Say = jsonl.silent) -> Stored:
    """What a run's folder and all its parts hold. Raises UserError for none, for damaged and for mixed ones."""
    folders = members(path)
    if folders in ([], [path]):
        return store.read(path, say)
    return joined(path, [store.read(each, say) for each in folders])


def joined(path: Path, found: Sequence[Stored]) -> Stored:
    """Parts as one run in the folder `path`. Raises UserError for parts of other settings or prompts."""
    settings, problems = found[0].settings, dict(found[0].problems)
    rows: dict[Key, Row] = {}
    for part in found:
        settings = mixture(settings, part.settings, f"{part.path}", f"{found[0].path}")
        for place, row in part.problems.items():
            prompts = problems.setdefault(place, row)["prompts"]
            if any(prompts.get(model, asked) != asked for model, asked in row["prompts"].items()):
                raise UserError(
                    f"{part.path} asks {row['id']} by another prompt than {found[0].path}",
                    "move one of the two folders away",
                )
        for row in part.rows:
            rows.setdefault(store.key(row), row)
    whole = Stored(path, settings, problems, list(rows.values()), store.judgements_in(path))
    return replace(whole, lacking=tuple(_lacking(whole, found)))


def wanted(run: Stored) -> Iterator[Key]:
    """The answers that a run is to have to the problems that it holds."""
    for (task, problem_id), row in run.problems.items():
        for model, asked in row["prompts"].items():
            for label, method in run.settings["methods"].items():
                if str(method.get("method", "")).startswith("project") and "expert" not in asked:
                    continue
                for sample in range(run.settings.get("samples", 1)):
                    yield task, problem_id, model, label, sample


def _lacking(run: Stored, found: Sequence[Stored]) -> Iterator[str]:
    """One line on what is not there yet."""
    there = set(map(store.key, run.rows))
    missing = [key for key in wanted(run) if key not in there]
    limit, tasks = run.settings["limit"], run.settings["tasks"]
    n = {name: min(task["n_problems"], limit or task["n_problems"]) for name, task in tasks.items()}
    unknown = sum(n.values()) - len(run.problems)
    each = len(run.settings["methods"]) * run.settings.get("samples", 1) * len(run.settings["models"])
    if not missing and unknown <= 0:
        return
    total = len(there) + len(missing) + max(unknown, 0) * each
    absent, short = _absent(found) if unknown > 0 else [], _short(found, missing)
    told = [f"missing: {_listed(absent)}"] if absent else []
    told += [f"{_listed(short)} lack{'s' if len(short) == 1 else ''} answers"] if short else []
    yield f"{run.path} holds {len(there):,} of {total:,} answers" + "".join(f"; {each}" for each in told)


def _absent(found: Sequence[Stored]) -> list[str]:
    """Shards that have not begun, where all parts are of the same N."""
    names = [_NAME.fullmatch(part.path.name) for part in found if part.path.parent.name == store.PARTS]
    numbers = {(int(name[1]), int(name[2])) for name in names if name}
    sizes = {of for _, of in numbers}
    if len(sizes) != 1 or len(numbers) != len(found):
        return []
    (of,) = sizes
    return [f"shard {i}/{of}" for i in range(1, min(of, MOST) + 1) if (i, of) not in numbers]


def _short(found: Sequence[Stored], missing: Sequence[Key]) -> list[str]:
    """The parts that hold problems without all their answers."""
    places = {key[:2] for key in missing}
    return [f"part {part.path.name}" for part in found if not places.isdisjoint(part.problems)]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
