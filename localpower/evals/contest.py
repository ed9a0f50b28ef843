"""Which model is the base and which one was tuned, and the answers of both by how they were drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from localpower.errors import UserError
from localpower.evals.groups import Group
from localpower.evals.store import Stored

PLAIN = "base"  # the method of plain draws
_ORDER = (PLAIN, "low-temp", "best-of-n")  # of entries; the others follow as they come


@dataclass(frozen=True, slots=True)
class Contest:
    """base, tuned: names of models in the runs. inferred: whether their order said so, and nobody else."""

    base: str
    tuned: str
    base_sha256: str
    tuned_sha256: str
    inferred: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """Answers of one side to a task, drawn in one way. name: unique in the task. cue: how its answers had to begin."""

    name: str
    tuned: bool
    method: str
    cue: str | None
    group: Group

    @property
    def plain(self) -> bool:
        """Whether these are draws from the model itself, without a cue."""
        return self.method == PLAIN and self.cue is None


def contest(runs: Sequence[Stored], base: str | None = None, tuned: str | None = None) -> Contest:
    """base, tuned: as the runs call the models, or their files; None: of two models the first is the base.

    Raises UserError where that does not say which two are meant.
    """
    models = _models(runs)
    if len(models) < 2:
        only = f"{' and '.join(models)} alone" if models else "none"
        raise UserError(
            f"a sharpening report needs answers of a base and a tuned model, and there are those of {only}",
            "localpower eval TASK -m BASE -m TUNED makes both; the folders of two runs will do too",
        )
    names = [_find(name, models) if name else None for name in (base, tuned)]
    if names[0] is not None and names[0] == names[1]:
        raise UserError(f"{names[0]} cannot be both the base and the tuned model")
    if None in names and len(models) > 2:
        raise UserError(
            f"there are {len(models)} models: {', '.join(models)}",
            "say --base-model NAME and --tuned-model NAME",
        )
    left = [name for name in models if name not in names]
    found = [name or left.pop(0) for name in names]
    return Contest(found[0], found[1], models[found[0]].sha256, models[found[1]].sha256, None in names)


def entries(found: Sequence[Group], who: Contest) -> list[Entry]:
    """The groups of the two models, of one task: the base's first, plain before cued before sharpened."""
    sides = {who.base_sha256: False, who.tuned_sha256: True}
    made: list[Entry] = []
    for group in found:
        side = sides.get(identity(group.run, group.model))
        if side is None:
            continue
        cue = group.run.settings.get("answer_prefix")
        name = _name(group, tuned=side, cue=cue)
        if any(entry.name == name for entry in made):
            name = f"{name} ({group.run.path.name})"
        if any(entry.name == name for entry in made):
            name = f"{name} ({len(made) + 1})"
        made.append(Entry(name, side, method_of(group), cue, group))
    return sorted(made, key=_place)


def identity(run: Stored, model: str) -> str:
    """What tells a model from others: the sha256 of its file; its name where it has no file."""
    return str(run.settings["models"][model].get("sha256") or model)


def method_of(group: Group) -> str:
    """The method's name, without its settings."""
    told = group.run.settings["methods"].get(group.method) or {}
    return str(told.get("method") or group.method).split(":")[0]


@dataclass(frozen=True, slots=True)
class _Model:
    sha256: str
    path: str | None


def _models(runs: Sequence[Stored]) -> dict[str, _Model]:
    """Models that have answers, by the name under which they come first. Raises UserError for a name that two have."""
    found: dict[str, _Model] = {}
    for run in runs:
        answered = dict.fromkeys(row["model"] for row in run.rows)
        for name in [name for name in run.settings["models"] if name in answered]:
            sha256 = identity(run, name)
            if name in found and found[name].sha256 != sha256:
                hint = "the names of two files must differ"
                raise UserError(f"two runs mean different models by {name}", hint)
            if sha256 not in {model.sha256 for model in found.values()}:
                found[name] = _Model(sha256, run.settings["models"][name].get("path"))
    return found


def _find(asked: str, models: dict[str, _Model]) -> str:
    if asked in models:
        return asked
    for name, model in models.items():
        if model.path and asked in (model.path, Path(model.path).name, Path(model.path).stem):
            return name
    raise UserError(f"no model of these runs is called {asked}", f"there are: {', '.join(models)}")


def _name(group: Group, *, tuned: bool, cue: str | None) -> str:
    method = "plain" if group.method == PLAIN else group.method
    shown = "" if cue is None else f', cue "{cue.encode("unicode_escape").decode()[:24]}"'
    return f"{'tuned' if tuned else 'base'}, {method}{shown}"


def _place(entry: Entry) -> tuple[bool, int, bool]:
    order = _ORDER.index(entry.method) if entry.method in _ORDER else len(_ORDER)
    return entry.tuned, order, entry.cue is not None
