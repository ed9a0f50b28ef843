"""The sharpening report: whether what a tuned model does is what sharpening its base does, task by task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from localpower import jsonl
from localpower.errors import UserError
from localpower.evals import omissions
from localpower.evals.contest import Contest, Entry, contest, entries
from localpower.evals.crossed import Likelihood, Readings, divergence_of, likelihood
from localpower.evals.divergence import Divergence
from localpower.evals.finding import finding
from localpower.evals.groups import groups
from localpower.evals.lineup import Known, Line, known, line
from localpower.evals.null import Null, null_of
from localpower.evals.pairing import Pair, pair
from localpower.evals.rivals import rivals
from localpower.evals.samples import Samples, most_used
from localpower.evals.store import Stored
from localpower.evals.strata import Stratum, strata


@dataclass(frozen=True, slots=True)
class TaskSharpening:
    """base, tuned: names of the lines of plain answers. null: the sharpened base, if there is one.

    finding: sentences. rivals: what else may explain a difference. notes: what is left out, and why.
    kl_from_base: KL(base || tuned) from plain answers of the base; None: they were not read.
    """

    finding: tuple[str, ...]
    base: str
    tuned: str
    null: Null | None
    lines: tuple[Line, ...]
    pair: Pair
    strata: tuple[Stratum, ...]
    kl_from_base: Divergence | None
    kl_from_tuned: Divergence | None
    rivals: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sharpening:
    """who: the two models. tasks: by name. notes: on models and tasks that are left out."""

    who: Contest
    tasks: dict[str, TaskSharpening]
    notes: tuple[str, ...]


def sharpening_of(
    runs: Sequence[Stored], base: str | None = None, tuned: str | None = None, say: jsonl.Say = jsonl.silent
) -> Sharpening:
    """base, tuned: names of models; None: of two models the first is the base. say: hears of lines that were cut off.

    Raises UserError where no task has plain answers of both to the same problems, graded alike.
    """
    who = contest(runs, base, tuned)
    found, readings = groups(runs), Readings(say)
    tasks: dict[str, TaskSharpening] = {}
    notes: list[str] = []
    refused: list[UserError] = []
    others = {group.label for group in found} - {entry.group.label for entry in entries(found, who)}
    if others:
        notes.append(f"left out, for it is of another model: {', '.join(sorted(others))}")
    for task in dict.fromkeys(group.task for group in found):
        mine = entries([group for group in found if group.task == task], who)
        try:
            tasks[task] = _task(task, mine, who, readings)
        except UserError as error:
            notes.append(f"{task} is left out: {error.message}" + (f" ({error.hint})" if error.hint else ""))
            refused.append(error)
    if not tasks:
        raise refused[0]
    return Sharpening(who, tasks, tuple(notes))


def _task(task: str, mine: Sequence[Entry], who: Contest, readings: Readings) -> TaskSharpening:
    """Raises UserError for a task that the two models cannot be compared on."""
    base, tuned = (_plain(task, mine, who, tuned=side) for side in (False, True))
    samples = {entry.name: Samples.of(entry.group) for entry in mine}
    shared = _shared(task, base, tuned, samples[base.name], samples[tuned.name])
    sizes = np.minimum(*(samples[entry.name].sizes(shared) for entry in (base, tuned)))
    k = most_used(sizes)
    names = [name for name, size in zip(shared, sizes, strict=True) if size >= k]
    compared = pair(names, samples[base.name], samples[tuned.name], k)
    lineup = [each for entry in mine if (each := known(entry, samples[entry.name], names)) is not None]
    plain = next(each for each in lineup if each.entry is tuned)
    own = next(each for each in lineup if each.entry is base)
    fewest = min(each.most for each in lineup)
    budget = compared.tokens[0]
    lines = [line(x, plain, budget, own.most, fewest, _under(x, who, readings)) for x in lineup]
    null = null_of(lineup, plain, compared)
    share = next((x.passes[0].passed for x in lines if null is not None and x.name == null.name), None)
    notes = omissions.omitted_problems(base, tuned, samples, shared, names, k)
    notes += [*omissions.omitted_entries(mine, base, tuned), *omissions.omitted_alike(null)]
    divergences, unread = [], []
    both = (who.base_sha256, who.tuned_sha256)
    for entry, order in ((base, both), (tuned, both[::-1])):
        rows = {name: samples[entry.name].rows[name] for name in names}
        readers = [readings.reader(entry.group.run, entry.group.model, sha256) for sha256 in order]
        found, left = divergence_of(rows, *readers)
        divergences.append(found)
        unread += [entry] if found is None else []
        notes += omissions.omitted_scores(entry, found, left, who)
    notes += omissions.omitted_reading(unread, who)
    held = [entry for entry in mine if null is not None and entry.name in (null.name, null.tuned_name)]
    return TaskSharpening(
        finding=tuple(finding(who, task, compared, null, share)),
        base=base.name,
        tuned=tuned.name,
        null=null,
        lines=tuple(lines),
        pair=compared,
        strata=strata(names, samples[base.name], samples[tuned.name], k),
        kl_from_base=divergences[0],
        kl_from_tuned=divergences[1],
        rivals=tuple(rivals(who, base, tuned, held, lines, compared)),
        notes=tuple(notes),
    )


def _plain(task: str, mine: Sequence[Entry], who: Contest, *, tuned: bool) -> Entry:
    """The first plain answers of a side."""
    for entry in mine:
        if entry.plain and entry.tuned == tuned:
            return entry
    raise UserError(
        f"{task} has no plain answers of {who.tuned if tuned else who.base}",
        "localpower eval with --method base makes them",
    )


def _shared(task: str, base: Entry, tuned: Entry, first: Samples, second: Samples) -> list[str]:
    """Problems that both have graded answers to. Raises UserError without any, or where they are not the same."""
    names = [name for name in first.right if name in second.right]
    if not names:
        ungraded = not (first.right and second.right)
        raise UserError(
            f"{task} has no {'graded answers of both models' if ungraded else 'problem that both models answered'}",
            "localpower regrade DIR grades them"
            if ungraded
            else "the same --limit and --data give the same problems",
        )
    for name in names:
        told = [entry.group.run.problems[task, name] for entry in (base, tuned)]
        if any(told[0].get(part) != told[1].get(part) for part in ("question", "gold")):
            hint = "compare runs of the same data"
            raise UserError(f"problem {name} of {task} is not the same in both runs", hint)
    graders = {row["grader"] for each in (first, second) for name in names for row in each.rows[name]}
    if len(graders) > 1:
        raise UserError(
            f"answers to {task} were graded by {' and '.join(sorted(graders))}",
            "localpower regrade DIR, for each run",
        )
    return names


def _under(one: Known, who: Contest, readings: Readings) -> list[Likelihood | None]:
    """log p of its answers under the base and under the tuned model."""
    rows = [row for name in one.names for row in one.samples.rows[name]]
    run, model = one.entry.group.run, one.entry.group.model
    both = (who.base_sha256, who.tuned_sha256)
    return [likelihood(rows, readings.reader(run, model, sha256)) for sha256 in both]
