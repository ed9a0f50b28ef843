"""What runs say: shares with intervals, paired differences, pass@k, costs. Plain JSON; other files show it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from statistics import fmean
from typing import Any

from localpower.errors import UserError
from localpower.evals.differing import difference_note, machine_note
from localpower.evals.groups import Group, groups
from localpower.evals.judging import judged
from localpower.evals.likelihood import Scores, likelihoods, own_scores
from localpower.evals.rounds import tool_use
from localpower.evals.store import Row, Stored
from localpower.runs.repetition import loops
from localpower.statistics import items_needed, mcnemar, paired_difference, pass_curve, share_right, sign_flip

_LEVEL = 0.05
_ONE = 0.9995  # a p value that is shown as 1

Report = dict[str, Any]


def report(
    runs: Sequence[Stored], scores: Scores = own_scores, scorer: str | None = None, against: str | None = None
) -> Report:
    """tasks: by name, `groups`, `pairs`, `likelihood` and `notes`; runs: their folders and settings; scorer, baseline.

    scores: log p and entropy of an answer's tokens under the model called `scorer`; None: under the one that wrote it.
    against: a label that all others are paired with. Raises UserError when there is none like it.
    """
    found = groups(runs)
    tasks = list(dict.fromkeys(group.task for group in found))
    labels = list(dict.fromkeys(group.label for group in found))
    if against is not None and against not in labels:
        hint = f"--baseline one of: {'; '.join(labels)}"
        raise UserError(f"there is nothing called {against} to compare with", hint)
    return {
        "runs": [{"path": str(run.path), "settings": run.settings} for run in runs],
        "scorer": scorer,
        "baseline": against,
        "tasks": {
            task: _task([group for group in found if group.task == task], scores, judged(runs, task), against)
            for task in tasks
        },
    }


def _together(found: Sequence[Group], against: str | None) -> list[tuple[Group, Group]]:
    """Methods of one model, and models by one method; with `against` that one and each of the others."""
    if against is not None:
        return [(one, other) for one in found if one.label == against for other in found if other is not one]

    def same_model(a: Group, b: Group) -> bool:
        return a.model == b.model and a.run.path == b.run.path

    return [(a, b) for a, b in combinations(found, 2) if same_model(a, b) or a.method == b.method]


def _task(found: Sequence[Group], scores: Scores, judgements: list[Report], against: str | None) -> Report:
    chosen = _together(found, against)
    pairs = [pair for a, b in chosen if (pair := _pair(a, b)) is not None]
    return {
        "groups": [_group(group) for group in found],
        "pairs": pairs,
        "judged": judgements,
        "likelihood": likelihoods(found, scores),
        "notes": _notes(found, pairs, judgements),
    }


def _group(group: Group) -> Report:
    rows, right = group.rows, group.right()
    verdicts = [row["verdict"] for row in rows]
    graded = len(verdicts) - verdicts.count("ungraded")
    n_samples = max(map(len, group.items.values()))
    chains = [row for row in rows if row["acceptance_rate"] is not None]
    return {
        "label": group.label,
        "model": group.model,
        "method": group.method,
        "n_items": len(group.items),
        "n_samples": n_samples,
        "n_answers": len(rows),
        "accuracy": share_right(list(right.values()))._asdict() if right else None,
        "by_group": _by_group(group, right),
        "none_share": verdicts.count("none") / graded if graded else None,
        "ungraded": verdicts.count("ungraded"),
        "cut_share": fmean(row["finish"] in ("length", "turns") for row in rows),
        "loops_share": fmean(loops(row["tokens"]) for row in rows),
        "lenient_share": fmean(bool(row["lenient"]) for row in rows),
        "tokens_per_answer": fmean(row["n_tokens"] for row in rows),
        "thinking_per_answer": _thinking(rows),
        "decoded_per_answer": fmean(row["decoded_tokens"] for row in rows),
        "seconds_per_answer": fmean(row["seconds"] for row in rows),
        "cost_multiple": _ratio(rows),
        "acceptance_rate": fmean(row["acceptance_rate"] for row in chains) if chains else None,
        "pass_at": [{"k": k, **value._asdict()} for k, value in pass_curve(list(right.values()))]
        if n_samples > 1 and right
        else [],
        "distinct": _distinct(group, "extracted") if n_samples > 1 else None,
        "distinct_texts": _distinct(group, "tokens") if n_samples > 1 else None,
        "tools": tool_use(group),
    }


def _thinking(rows: Sequence[Row]) -> float | None:
    """Tokens of thoughts, marks included; None where no answer has one."""
    lengths = [row.get("thinking_tokens") for row in rows]
    return fmean(each or 0 for each in lengths) if any(each is not None for each in lengths) else None


def _by_group(group: Group, right: dict[str, list[bool]]) -> Report:
    """Accuracy by level, subject or kind, where problems have one."""
    kinds: dict[str, list[list[bool]]] = {}
    for name, samples in right.items():
        kinds.setdefault(group.run.problems[group.task, name]["group"], []).append(samples)
    if set(kinds) == {""}:
        return {}
    return {kind: {"n": len(some), **share_right(some)._asdict()} for kind, some in sorted(kinds.items())}


def _ratio(rows: Sequence[Row]) -> float | None:
    """Tokens drawn over those of plain answers; rows of version 0.1 know only the tokens of their answers."""
    plain = sum(row["plain_tokens" if "plain_tokens" in row else "n_tokens"] for row in rows)
    return sum(row["decoded_tokens"] for row in rows) / plain if plain else None


def _distinct(group: Group, field: str) -> float:
    """Mean over problems of the share of answers that differ: 1 when all do."""
    return fmean(len({str(row[field]) for row in rows}) / len(rows) for rows in group.items.values())


def _pair(first: Group, second: Group) -> Report | None:
    """second - first on the problems that both have answers to; None without any."""
    a, b = first.right(), second.right()
    shared = sorted(a.keys() & b.keys())
    if not shared:
        return None
    before, after = [fmean(a[name]) for name in shared], [fmean(b[name]) for name in shared]
    difference = paired_difference(before, after)
    single = all(len(a[name]) == len(b[name]) == 1 for name in shared)
    only_first = sum(x > y for x, y in zip(before, after, strict=True))
    only_second = sum(x < y for x, y in zip(before, after, strict=True))
    discordant = fmean((x - y) ** 2 for x, y in zip(before, after, strict=True))
    p = mcnemar(only_first, only_second) if single else sign_flip(before, after)
    return {
        "first": first.label,
        "second": second.label,
        "n_items": len(shared),
        "difference": difference._asdict(),
        "only_first": only_first,
        "only_second": only_second,
        "test": "exact McNemar" if single else "sign flips over problems",
        "p": p,
        "items_needed": items_needed(difference.value, discordant),
        "enough": p < _LEVEL,
    }


def _problems(n: int) -> str:
    return f"{n:,} problem{'' if n == 1 else 's'}"


def _notes(found: Sequence[Group], pairs: Sequence[Report], judgements: Sequence[Report]) -> list[str]:
    notes = []
    few = [
        f"{pair['second']} - {pair['first']} ({100 * pair['difference']['value']:+.1f} points): about "
        f"{pair['items_needed']:,} problems"
        for pair in pairs
        if not pair["enough"] and pair["items_needed"] is not None
    ]
    if few:
        most = max(pair["n_items"] for pair in pairs)
        notes.append(
            f"{_problems(most)} {'is' if most == 1 else 'are'} too few: differences as large as these could be luck. "
            f"To show them one needs: {'; '.join(few)}"
        )
    alone: dict[int, list[str]] = {}  # by how many problems tell the two apart
    for pair in pairs:
        if pair["p"] > _ONE and pair["difference"]["value"]:
            told = alone.setdefault(pair["only_first"] + pair["only_second"], [])
            told.append(f"{pair['second']} - {pair['first']}")
    notes += [
        f"{', '.join(told)}: p is 1 although there is a difference, because the two differ on only {_problems(n)}, "
        "and tossed coins always come out as uneven; the range comes from drawing these same problems again, and shows "
        "less doubt than there is"
        for n, told in alone.items()
    ]
    notes += difference_note(found)
    runs = {str(group.run.path): group.run for group in found}
    notes += [line for run in runs.values() for line in run.lacking]
    notes += machine_note(found)
    graders = {row["grader"] for group in found for row in group.rows}
    if len(graders) > 1:
        notes.append(f"answers were graded by {' and '.join(sorted(graders))}: regrade before comparing")
    notes += [
        f"{each['judge']} contradicts itself on {each['n_dropped']} of {each['n'] + each['n_dropped']} pairs when "
        "their order is changed: it prefers a place, not an answer, and cannot judge these"
        for each in judgements
        if each["n_dropped"] > each["n"]
    ]
    return notes
