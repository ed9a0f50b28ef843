"""`localpower.export`: training data from the answers of evals, with provenance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localpower.api.compare import read_runs
from localpower.api.evaluate import EvalRun
from localpower.api.export_selection import selected
from localpower.api.opening import Say
from localpower.catalogue import NAMES
from localpower.data.card import card, dataset_info
from localpower.data.expectations import expectations, warnings
from localpower.data.files import (
    RECORD,
    read_rows,
    refuse_place,
    require_parquet,
    write_folder,
    write_json,
    write_rows,
    write_text,
)
from localpower.data.formats import FORMATS, columns_of, row_of
from localpower.data.likeness import Overlap
from localpower.data.record import Record, plain
from localpower.data.rerun import command
from localpower.data.samples import Choice, Sample, Source, missing, samples_of
from localpower.data.selection import Selection
from localpower.data.splits import shares_of, splits
from localpower.data.traces import is_trace
from localpower.errors import UsageProblem, UserError
from localpower.evals import sources
from localpower.evals.store import Row, Stored, at_rest
from localpower.evals.tasks import find_tasks, known


@dataclass(frozen=True, slots=True)
class Exported:
    """A folder of training data, and what was done. `str` is its tables."""

    path: Path
    record: Record

    def rows(self, format: str | None = None, split: str | None = None) -> list[Row]:
        """The rows of a format and a split; None: of the first. Raises UserError."""
        form, name = format or self.record.formats[0], split or next(iter(self.record.rows))
        if form not in self.record.formats or name not in self.record.rows:
            raise UsageProblem(
                f"there are the formats {', '.join(self.record.formats)} and the splits {', '.join(self.record.rows)}"
            )
        return read_rows(self.path / self.record.file(form, name))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, as export.json has them."""
        return {"path": str(self.path), **self.record.to_dict()}

    def __str__(self) -> str:
        cells = (self.record.step_cells(), self.record.split_cells(), self.record.expectation_cells())
        return "\n\n".join(map(plain, cells))


def export(
    *runs: EvalRun | str | Path,
    out: str | Path,
    formats: str | Sequence[str] = ("messages", "tokens"),
    parquet: bool = False,
    tasks: str | Sequence[str] = (),
    methods: str | Sequence[str] = (),
    model: str | None = None,
    keep: str = "all",
    unfinished: bool = False,
    duplicates: str = "exact",
    max_per_problem: int | None = None,
    decontaminate: str | Sequence[str] = (),
    data: str | Path | None = None,
    password: Callable[[], str] = str,
    split: str = "train=1",
    save_text: bool = False,
    provenance: bool = True,
    overwrite: bool = False,
    say: Say = lambda _: None,
) -> Exported:
    """Write the answers of evals, or of their folders, as training data: the same folder as by `localpower export`.

    formats: messages, tokens, sharegpt. tasks, methods, model: labels, whose answers are taken; needed where there are
    several methods (`all` mixes them) or models. keep: all, right, best or distinct:K, or several with commas.
    duplicates: keep, exact or near: which are left out.
    decontaminate: tasks whose problems no row may repeat; data, password: their files. say: hears what a user should
    know. Raises UserError; then nothing is left at `out`.
    """
    forms = _formats(formats)
    how = Selection(keep, unfinished, duplicates, max_per_problem)
    shares, place = shares_of(split), Path(out)
    if parquet:
        require_parquet()
    refuse_place(place, overwrite=overwrite)
    paths = _paths(runs)
    benchmarks = _benchmarks(_names(decontaminate), None if data is None else Path(data), password)
    choice = Choice(_names(tasks), _names(methods), model, save_text)
    with ExitStack() as resting:
        for path in paths:
            resting.enter_context(at_rest(path))
        stored = read_runs(paths, say)
    source, samples = samples_of(stored, choice)
    if own := sorted({each.task for each in samples} & benchmarks.keys()):
        raise UserError(f"the answers are to {own[0]}, whose problems all of them repeat", "name other tasks")
    found = selected(samples, stored, source, how, benchmarks)
    left = found.left
    before, after = expectations(found.all), expectations(left, found.all)
    notes = [*missing(stored), *found.notes]
    notes += _without_template(sum(not each.chat for each in left), forms) + warnings(before, after)
    choices = {
        "keep": keep,
        "unfinished": unfinished,
        "duplicates": duplicates,
        "max_per_problem": max_per_problem,
        "decontaminate": list(benchmarks),
        "split": split,
        "tasks": list(choice.tasks),
        "methods": list(choice.methods),
    }
    parts = splits(left, stored, shares)
    record = Record(
        source=source,
        formats=forms,
        parquet=parquet,
        provenance=provenance,
        choices=choices,
        runs=tuple(_told(run, [each.method for each in after]) for run in stored),
        licences={task: _licence(task, stored) for task in dict.fromkeys(each.task for each in left)},
        rows={name: len(some) for name, some in parts.items()},
        problems={name: len({each.place for each in some}) for name, some in parts.items()},
        tokens={name: sum(len(x.tokens) - len(x.given) for x in some) for name, some in parts.items()},
        steps=tuple(found.steps),
        before=tuple(before),
        after=tuple(after),
        notes=tuple(notes),
        rerun=command(left[0], stored[left[0].run], _spoken_of(source)),
        ended=found.ended,
        n_traces=sum(map(is_trace, left)),
    )
    write_folder(place, lambda folder: _write(folder, record, parts), overwrite=overwrite)
    for note in notes:
        say(f"note: {note}")
    return Exported(place, record)


def _write(folder: Path, record: Record, parts: dict[str, list[Sample]]) -> None:
    """Fill the folder. Raises OSError."""
    files = ["README.md"]
    for form in record.formats:
        (folder / form).mkdir()
        columns = columns_of(form, provenance=record.provenance, traces=record.n_traces > 0)
        for name, samples in parts.items():
            rows = (row_of(form, each, record.source, provenance=record.provenance) for each in samples)
            files.append(record.file(form, name))
            write_rows(folder / files[-1], rows, columns, parquet=record.parquet)
    if "sharegpt" in record.formats:
        files.append("dataset_info.json")
        write_json(folder / files[-1], dataset_info(record))
    write_text(folder / "README.md", card(record))
    write_json(folder / RECORD, record.to_dict() | {"files": files})


def _names(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _without_template(n: int, forms: Sequence[str]) -> list[str]:
    """What becomes of answers that were asked as plain text, in the formats that are written."""
    texts = [f"`{form}`" for form in forms if form != "tokens"]
    if not n or not texts:
        return []
    asked, them = ("answer was", "it") if n == 1 else ("answers were", "them")
    put = f"{' and '.join(texts)} {'puts' if len(texts) == 1 else 'put'} one around {them}"
    kept = "; `tokens` has what was asked" if "tokens" in forms else ""
    return [f"{n} {asked} asked without a chat template, and {put}{kept}"]


def _formats(given: str | Sequence[str]) -> tuple[str, ...]:
    forms = tuple(dict.fromkeys(_names(given)))
    for each in forms:
        if each not in FORMATS:
            raise UsageProblem(f"the format is one of {', '.join(FORMATS)}, got {each!r}")
    if not forms:
        raise UsageProblem(f"an export needs a format: {', '.join(FORMATS)}")
    return forms


def _paths(runs: Sequence[EvalRun | str | Path]) -> list[Path]:
    """The folders. Raises UsageProblem for none, and for one that is given twice."""
    paths = [Path(run) if isinstance(run, str | Path) else run.path for run in runs]
    if not paths:
        raise UsageProblem("an export needs the folder of an eval")
    for i, path in enumerate(paths):
        if path.resolve() in [other.resolve() for other in paths[:i]]:
            raise UsageProblem(f"{path} is given twice")
    return paths


def _benchmarks(names: Sequence[str], data: Path | None, password: Callable[[], str]) -> dict[str, Overlap]:
    """The problems of tasks that no row may repeat. Raises UserError where they cannot be read."""
    if not names:
        return {}
    source = sources.Source(data, 0, password)
    return {
        task.name: Overlap(each.text for each in task.problems(source)) for task in find_tasks(tuple(names))
    }


def _told(run: Stored, methods: Sequence[str]) -> dict[str, Any]:
    """What the card says of a folder."""
    settings = run.settings
    return {
        "name": run.path.resolve().name,
        "seed": settings["seed"],
        "samples": settings.get("samples", 1),
        "prompt": settings["prompt"],
        "version": settings.get("version", ""),
        "methods": {label: settings["methods"][label] for label in settings["methods"] if label in methods},
    }


def _licence(task: str, runs: Sequence[Stored]) -> str:
    """As the eval wrote it down; of older ones as the task states it now."""
    for run in runs:
        if said := run.settings["tasks"].get(task, {}).get("licence"):
            return str(said)
    found = known(task)
    return found.licence if found else ""


def _spoken_of(source: Source) -> str:
    """As `-m` takes it, without where it lay."""
    if source.name in NAMES or source.path is None:
        return source.name
    return Path(source.path).name
