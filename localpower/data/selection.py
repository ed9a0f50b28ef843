"""Which answers become training data: one filter after another, each with how many answers it left out.

All of it is a function of the answers: nothing is drawn. Of answers that say the same the likeliest stays; of several
that are left for a problem the first ones stay, by folder, method and sample, because these are draws and the likeliest
are not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from localpower.data.likeness import NEAR, Overlap, Runs, likeness, parts, runs
from localpower.data.samples import Sample
from localpower.errors import UsageProblem

DUPLICATES = ("keep", "exact", "near")
_DISTINCT = "distinct:"


class Step(NamedTuple):
    """What a filter did. left: answers after it."""

    name: str
    dropped: int
    left: int


@dataclass(frozen=True, slots=True)
class Selection:
    """keep: all, right, best or distinct:K, or several with commas, one after another. most: answers to a problem.

    Raises UsageProblem for what can never be right.
    """

    keep: str = "all"
    unfinished: bool = False
    duplicates: str = "exact"
    most: int | None = None
    filters: tuple[str, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        """Read the filters."""
        if self.duplicates not in DUPLICATES:
            raise UsageProblem(f"duplicates are one of {', '.join(DUPLICATES)}, got {self.duplicates!r}")
        if self.most is not None and (isinstance(self.most, bool) or self.most < 1):
            raise UsageProblem(f"--max-per-problem must be at least 1, got {self.most!r}")
        filters = tuple(each.strip() for each in self.keep.split(","))
        for each in filters:
            if not re.fullmatch(r"all|right|best|distinct:0*[1-9][0-9]{0,5}", each):
                takes = "all, right, best or distinct:K, or several with commas"
                raise UsageProblem(f"--keep takes {takes}, got {each!r}")
        object.__setattr__(self, "filters", filters)


def select(
    samples: Sequence[Sample], how: Selection, benchmarks: dict[str, Overlap]
) -> tuple[list[Sample], list[Step]]:
    """The answers that stay, in their order, and what each filter did. benchmarks: by the name of their task."""
    left, steps = list(samples), [Step("answers", 0, len(samples))]

    def drop(name: str, stay: Callable[[list[Sample]], Iterable[Sample]]) -> None:
        nonlocal left
        chosen = {id(each) for each in stay(left)}
        before, left = len(left), [each for each in left if id(each) in chosen]
        steps.append(Step(name, before - len(left), len(left)))

    if not how.unfinished:
        drop("unfinished", lambda some: [each for each in some if each.finish == "stop"])
    for name, overlap in benchmarks.items():
        drop(f"repeat a problem of {name}", partial(_original, overlap))
    if "right" in how.filters:
        drop("not right", lambda some: [each for each in some if each.verdict == "right"])
    if how.duplicates != "keep":
        drop("exact duplicates", partial(_by_problem, _different))
    if how.duplicates == "near":
        drop("near duplicates", partial(_by_problem, _unlike))
    for each in how.filters:
        if each == "best":
            drop("not the likeliest", partial(_by_problem, partial(farthest, k=1)))
        elif each.startswith(_DISTINCT):
            k = int(each.removeprefix(_DISTINCT))
            drop(f"beyond {k} distinct", partial(_by_problem, partial(farthest, k=k)))
    if how.most is not None:
        drop(f"beyond {how.most} a problem", partial(_by_problem, lambda some: some[: how.most]))
    return left, steps


def _original(overlap: Overlap, samples: list[Sample]) -> list[Sample]:
    """Those that repeat no problem of a benchmark."""
    return [each for each in samples if not overlap.repeats(each.question, each.answer)]


def _by_problem(stay: Callable[[list[Sample]], list[Sample]], samples: list[Sample]) -> list[Sample]:
    """Those that stay of each problem's answers: of those to one prompt, whatever folder or task it is of."""
    problems: dict[tuple[object, ...], list[Sample]] = {}
    for each in samples:
        problems.setdefault(each.prompt, []).append(each)
    return [each for some in problems.values() for each in stay(some)]


def _likeliest(samples: Iterable[Sample]) -> list[Sample]:
    """The likeliest first; of equals in their order."""
    return sorted(samples, key=lambda each: -each.total)


def _different(samples: list[Sample]) -> list[Sample]:
    """No two with the same token ids, or the same text."""
    texts: set[str] = set()
    ids: set[tuple[int, ...]] = set()
    found = []
    for each in _likeliest(samples):
        if each.answer not in texts and each.tokens not in ids:
            found.append(each)
        texts.add(each.answer)
        ids.add(each.tokens)
    return found


def _unlike(samples: list[Sample]) -> list[Sample]:
    """No two that are near duplicates."""
    found: list[Sample] = []
    kept: list[Runs] = []
    for each in _likeliest(samples):
        own = runs(parts(each.answer))
        if all(likeness(own, other) < NEAR for other in kept):
            found.append(each)
            kept.append(own)
    return found


def farthest(samples: list[Sample], k: int) -> list[Sample]:
    """At most k that differ: the likeliest, then each time the one least like those taken, of equals the likeliest.

    None is a near duplicate of another.
    """
    rest = [(each, runs(parts(each.answer))) for each in _likeliest(samples)]
    found = [rest[0][0]]
    nearest = [likeness(own, rest[0][1]) for _, own in rest]
    while len(found) < k:
        i = min(range(len(rest)), key=nearest.__getitem__)
        if nearest[i] >= NEAR:
            break
        found.append(rest[i][0])
        nearest = [max(near, likeness(own, rest[i][1])) for near, (_, own) in zip(nearest, rest, strict=True)]
    return found
