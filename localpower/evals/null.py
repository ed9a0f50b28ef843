"""The null of a sharpening report: the base, sharpened without training, beside the tuned model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from localpower.evals.coverage import Crossing, crossings, token_crossings
from localpower.evals.lineup import Beside, Known, beside
from localpower.evals.overlap import SolvedSets, solved_sets
from localpower.evals.pairing import Pair

SHARPENERS = ("power", "smc", "tempering", "lookahead", "best-of-n", "low-temp")  # the first that is there


@dataclass(frozen=True, slots=True)
class Null:
    """name: of the base's line. plain: the tuned model's plain answers minus its.

    tokens: drawn for an answer of it, and for a plain answer of the tuned model.
    alike: the tuned model sharpened in the same way minus it, by the line `tuned_name`; None where there is none.
    unlike: lines of the tuned model by the same method with other settings, or at another alpha, where none is alike.
    solved: as the base's beside the tuned model's plain answers. recovered: of `alone` problems that the tuned model
    solves and the plain base does not, those that are solved here, with as many samples. crossings: of its mean curve
    (first) and that of the tuned model's plain answers, at equal samples and at equal tokens.
    """

    name: str
    plain: Beside
    tokens: tuple[float, float]
    tuned_name: str | None
    alike: Beside | None
    unlike: tuple[str, ...]
    solved: SolvedSets
    recovered: int
    alone: int
    crossings: tuple[Crossing, ...]
    token_crossings: tuple[Crossing, ...]


def null_of(lineup: Sequence[Known], tuned: Known, found: Pair) -> Null | None:
    """Chosen by its kind, never by how well it did, so that no luck is chosen with it. None without any."""
    for method in SHARPENERS:
        for one in lineup:
            if one.entry.tuned or one.entry.method != method or one.entry.cue is not None:
                continue
            plain = beside(one, tuned)
            if plain is not None:
                return _null(one, lineup, tuned, plain, found)
    return None


def _null(one: Known, lineup: Sequence[Known], tuned: Known, plain: Beside, found: Pair) -> Null:
    method, cue = one.entry.method, one.entry.cue
    same = [x for x in lineup if x.entry.tuned and (x.entry.method, x.entry.cue) == (method, cue)]
    alike = next((x for x in same if _way(x) == _way(one)), None)
    there, k = set(tuned.names), min(found.k, one.most)
    shared = [name for name in one.names if name in there]
    first = one.samples.among(shared, slice(k)).tolist()
    solved = solved_sets(shared, first, tuned.samples.among(shared, slice(k)).tolist(), k)
    right = dict(zip(shared, first, strict=True))
    tables = [each.samples.table(shared, min(one.most, tuned.most)).mean(axis=0) for each in (one, tuned)]
    costs = [float(each.samples.costs(shared).mean()) for each in (one, tuned)]
    ks = range(1, len(tables[0]) + 1)
    alone = [name for name in found.solved.tuned_only if name in right]
    return Null(
        name=one.entry.name,
        plain=plain,
        tokens=(costs[0], costs[1]),
        tuned_name=alike.entry.name if alike else None,
        alike=beside(one, alike) if alike else None,
        unlike=() if alike else tuple(x.entry.name for x in same),
        solved=solved,
        recovered=sum(right[name] > 0 for name in alone),
        alone=len(alone),
        crossings=tuple(crossings(ks, tables[0].tolist(), tables[1].tolist())),
        token_crossings=tuple(token_crossings(tables[0], tables[1], (costs[0], costs[1]))),
    )


def _way(one: Known) -> tuple[str, frozenset[float]]:
    """What answers were asked for, and at which alpha: a model's usual one may be another than its base's."""
    group = one.entry.group
    asked = json.dumps(group.run.settings["methods"].get(group.method) or group.method, sort_keys=True)
    rows = (row for name in one.names for row in one.samples.rows[name])
    return asked, frozenset(row["alpha"] for row in rows if "alpha" in row)
