"""The null of a sharpening report: the base, sharpened without training, beside the tuned model."""

from __future__ import annotations

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

    alike: the tuned model sharpened in the same way minus it, by the line `tuned_name`; None where there is none.
    solved: as the base's beside the tuned model's plain answers. recovered: of `alone` problems that the tuned model
    solves and the plain base does not, those that are solved here, with as many samples. crossings: of its mean curve
    (first) and that of the tuned model's plain answers, at equal samples and at equal tokens.
    """

    name: str
    plain: Beside
    tuned_name: str | None
    alike: Beside | None
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
    alike = next(
        (x for x in lineup if x.entry.tuned and (x.entry.method, x.entry.cue) == (method, cue)), None
    )
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
        tuned_name=alike.entry.name if alike else None,
        alike=beside(one, alike) if alike else None,
        solved=solved,
        recovered=sum(right[name] > 0 for name in alone),
        alone=len(alone),
        crossings=tuple(crossings(ks, tables[0].tolist(), tables[1].tolist())),
        token_crossings=tuple(token_crossings(tables[0], tables[1], (costs[0], costs[1]))),
    )
