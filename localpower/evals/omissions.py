"""What a sharpening report of a task leaves out, and which command would make it whole."""

from __future__ import annotations

from collections.abc import Sequence

from localpower.evals.contest import Contest, Entry
from localpower.evals.crossed import Left
from localpower.evals.divergence import Divergence
from localpower.evals.null import Null
from localpower.evals.samples import Samples

_FEW = 50  # problems below which a bootstrap's intervals are too narrow (docs/evals.md)


def omitted_problems(
    base: Entry,
    tuned: Entry,
    samples: dict[str, Samples],
    shared: Sequence[str],
    names: Sequence[str],
    k: int,
) -> list[str]:
    """Problems that one side lacks or has too few answers to, answers that are still to be made, and small numbers."""
    notes = []
    for entry in (base, tuned):
        alone = len(samples[entry.name].right) - len(shared)
        if alone:
            notes.append(f"{alone} problems have graded answers of {entry.name} alone: they are left out")
        graded = sum(map(len, samples[entry.name].rows.values()))
        if ungraded := len(entry.group.rows) - graded:
            notes.append(f"{ungraded} answers of {entry.name} are not graded: they are left out")
        if missing := _to_come(entry):
            notes.append(f"{entry.name} is not finished: {missing} answers are still to be made")
    if len(names) < len(shared):
        short = len(shared) - len(names)
        notes.append(f"{short} problems have fewer than {k} answers of both: they are left out")
    if len(names) < _FEW:
        notes.append(f"with {len(names)} problems the intervals, a bootstrap, are too narrow")
    if k == 1:
        notes.append(
            "of one sample there are no pass@k curves, no tax and no quartiles: --samples 8 gives them"
        )
    return notes


def omitted_entries(mine: Sequence[Entry], base: Entry, tuned: Entry) -> list[str]:
    """Plain answers that are not those compared, and kinds of answers that are missing beside the tuned model."""
    notes = [
        f"{entry.name}: the plain answers that are compared are those of {base.name if not entry.tuned else tuned.name}"
        for entry in mine
        if entry.plain and entry not in (base, tuned)
    ]
    there = {(entry.tuned, entry.method, entry.cue is not None) for entry in mine}
    wanted = {
        "the base with a cue (--answer-prefix)": any(not side and cue for side, _, cue in there),
        **{f"the base by {way}": (False, way, False) in there for way in ("low-temp", "best-of-n", "power")},
        "the tuned model by low-temp": (True, "low-temp", False) in there,
    }
    lacking = [name for name, found in wanted.items() if not found]
    return [*notes, f"not stored, and so not compared: {', '.join(lacking)}"] if lacking else notes


def omitted_alike(null: Null | None) -> list[str]:
    """Sharpened answers of the tuned model that are no match for those of the base."""
    if null is None:
        return []
    return [
        f"{name} has other settings than {null.name}, or another alpha: it is not taken as sharpened in the same way "
        "(--alpha gives both models one)"
        for name in null.unlike
    ]


def omitted_scores(entry: Entry, found: Divergence | None, left: Left, who: Contest) -> list[str]:
    """Answers that the other model has read and that have no log p under it all the same."""
    other = who.base if entry.tuned else who.tuned
    notes: list[str] = []
    if found is None:
        return notes
    if left.missing:
        notes.append(
            f"{left.missing} plain answers of {entry.name} have no log p under one of the models (not read yet, "
            "impossible, or no number): the divergence is of the others, and too small if they are impossible"
        )
    if left.respelled:
        notes.append(
            f"{other} spells {left.respelled} plain answers of {entry.name} in other tokens: the divergence is of "
            "texts, by one spelling of each, and not exact"
        )
    return notes


def omitted_reading(unread: Sequence[Entry], who: Contest) -> list[str]:
    """Plain answers that the other model has not read at all: one line, with the command that lets it."""
    readers = {True: who.base, False: who.tuned}
    told = [f"{readers[entry.tuned]} has not read the answers of {entry.name}" for entry in unread]
    if not told:
        return []
    return [
        f"{', and '.join(told)}: there is no divergence. localpower compare DIR --sharpening --scorer {who.base} "
        f"--scorer {who.tuned} reads all of them (and so does eval --cross-score)"
    ]


def _to_come(entry: Entry) -> int:
    """Answers that the run was asked for and that are not there."""
    group, settings = entry.group, entry.group.run.settings
    problems = sum(task == group.task for task, _ in group.run.problems)
    samples = settings.get("samples")
    return max(problems * samples - len(group.rows), 0) if samples else 0
