"""Train and validation by problem, never by answer: of each task the first problems by sha256 of their id."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

from localpower.data.samples import Sample, order
from localpower.errors import UsageProblem, UserError
from localpower.evals.store import Stored

Shares = dict[str, float]


def shares_of(text: str) -> Shares:
    """`train=.9,validation=.1` as shares by name. Raises UsageProblem unless they are positive and sum to 1."""
    found: Shares = {}
    for part in text.split(","):
        name, equals, value = (each.strip() for each in part.partition("="))
        try:
            share = float(value)
        except ValueError:
            share = math.nan
        good = equals and re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII) and name not in found
        if not good or not 0 < share <= 1:
            raise UsageProblem(f"--split takes shares such as train=.9,validation=.1, got {text!r}")
        found[name] = share
    if abs(math.fsum(found.values()) - 1) > 1e-9:
        raise UsageProblem(f"the shares of --split must sum to 1, got {math.fsum(found.values()):g}")
    return found


def splits(samples: Sequence[Sample], runs: Sequence[Stored], shares: Shares) -> dict[str, list[Sample]]:
    """The answers by split. A problem's split depends on the problems of its task, not on which answers stay.

    Problems that are asked in the same tokens are in one split. Raises UserError for a split without answers.
    """
    ids: dict[str, list[str]] = {}
    for task, name in (key for run in runs for key in run.problems):
        ids.setdefault(task, []).append(name)
    place = {task: _places(ids[task], shares) for task in {each.task for each in samples}}
    asked: dict[tuple[int, ...], str] = {}
    found: dict[str, list[Sample]] = {name: [] for name in shares}
    for each in samples:
        name = asked.setdefault(each.prompt, place[each.task][each.problem_id])
        found[name].append(each)
    for name, some in found.items():
        if not some:
            hint = "give it a larger share, or take more problems"
            raise UserError(f"no answer is left for the split {name}", hint)
    return found


def _places(ids: Iterable[str], shares: Shares) -> dict[str, str]:
    """The split of each problem of a task."""
    ordered = sorted(set(ids), key=order)
    places, begin, total = {}, 0, 0.0
    for name, share in shares.items():
        total += share
        end = round(total * len(ordered))
        places.update(dict.fromkeys(ordered[begin:end], name))
        begin = end
    return places
