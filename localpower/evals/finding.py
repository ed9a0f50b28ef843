"""Is it just sharpening? What the numbers of a task show, and no more, in a few sentences."""

from __future__ import annotations

from localpower.evals.contest import Contest
from localpower.evals.null import Null
from localpower.evals.overlap import SolvedSets
from localpower.evals.pairing import Pair
from localpower.statistics import Interval

_LEVEL = 0.05


def finding(who: Contest, task: str, found: Pair, null: Null | None, share: Interval | None) -> list[str]:
    """Sentences: the answer, what the tuned model has over the plain and the sharpened base, and what each solves.

    share: pass@1 of the null.
    """
    one = found.passes[0]
    told = [
        f"{task}: {_answer(found.solved, null)}",
        f"of the plain answers of {who.tuned} {_percent(one.tuned)} are correct, of those of {who.base} "
        f"{_percent(one.base)} (difference {_points(one.difference)})",
    ]
    if null is None or share is None:
        told.append(
            "no sharpened answers of the base are stored (power, smc, best-of-n or low-temp): whether sharpening alone "
            "does as much cannot be said"
        )
    else:
        told += _against(null, share)
    told.append(_alone(found.solved, found.n_problems, null))
    return [f"{text[0] if i == 0 else text[0].upper()}{text[1:]}." for i, text in enumerate(told)]


def _answer(plain: SolvedSets, null: Null | None) -> str:
    """In a few words, of what is shown at the 5 % level; nothing is corrected for looking more than once.

    plain: solved sets of the plain answers. To solve more problems than the sharpened base alone shows nothing, for
    sharpening narrows: the plain base may solve as many.
    """
    if null is None:
        return "it cannot be said"
    ways = {
        "its plain answers are correct more often": null.plain.one.low > 0.0,
        "its answers that are sharpened alike are correct more often": null.alike is not None
        and null.alike.one.low > 0.0,
        f"with {_answers(null.solved.k)} it solves more problems, and more than the plain base too": (
            _ahead(null.solved) and _ahead(plain)
        ),
    }
    shown = [way for way, found in ways.items() if found]
    if not shown:
        return "no more than sharpening is shown"
    looks = len(ways) - (null.alike is None)
    return (
        f"the tuned model does more than its base when that is sharpened: {', and '.join(shown)} ({looks} things were "
        "looked at, each at the 5 % level)"
    )


def _ahead(solved: SolvedSets) -> bool:
    """Whether the tuned model is shown to solve more problems."""
    return solved.p < _LEVEL and len(solved.tuned_only) > len(solved.base_only)


def _against(null: Null, share: Interval) -> list[str]:
    """The sharpened base beside the tuned model: its plain answers, and its answers that are sharpened alike."""
    method, gap, n = null.name.removeprefix("base, "), null.plain.one, null.plain.n_problems
    beside = f"of the answers of the base sharpened without training ({method}) {_percent(share)} are correct, for "
    beside += f"{null.tokens[0]:.0f} drawn tokens each where the plain answers of the tuned model take "
    beside += f"{null.tokens[1]:.0f}"
    if gap.low > 0.0:
        told = [
            f"{beside}: the plain answers of the tuned model are ahead by {_points(gap)}, so this sharpening does not "
            "account for all that tuning did"
        ]
    elif gap.high < 0.0:
        ahead = "sharpening alone is ahead of the plain answers of the tuned model"
        told = [f"{beside}: {ahead}, by {_points(_minus(gap))}"]
    else:
        most = 100 * max(abs(gap.low), abs(gap.high))
        told = [
            f"{beside}: tuned minus sharpened is {_points(gap)}, and {n} problems do not tell the two apart, which "
            f"leaves room for a difference of up to {most:.0f} points"
        ]
    if null.alike is not None:
        alike = _points(null.alike.one)
        told.append(f"with the tuned model sharpened in the same way the difference is {alike}")
    return told


def _alone(solved: SolvedSets, n: int, null: Null | None) -> str:
    base, tuned = len(solved.base_only), len(solved.tuned_only)
    sets = (
        f"with {_answers(solved.k, 'plain ')} to each of {n} problems the tuned model alone solves {tuned} and the "
        f"base alone {base} (exact McNemar p {_p(solved.p)})"
    )
    if solved.p >= _LEVEL:
        return f"{sets}: neither is shown to solve more problems than the other"
    if tuned < base:
        return f"{sets}: the base solves more problems than the tuned model"
    if null is None or null.solved.k < solved.k or null.alone < tuned:
        return f"{sets}: the tuned model solves more problems than the plain base"
    recovered = f"{null.recovered} of these {tuned}"
    return f"{sets}, and {recovered} are solved by as many sharpened answers of the base"


def _answers(k: int, kind: str = "") -> str:
    return f"1 {kind}answer" if k == 1 else f"{k} {kind}answers"


def _minus(gap: Interval) -> Interval:
    return Interval(-gap.value, -gap.high, -gap.low)


def _percent(share: Interval) -> str:
    return f"{100 * share.value:.1f} %"


def _points(gap: Interval) -> str:
    return f"{100 * gap.value:+.1f} points, {100 * gap.low:+.1f} to {100 * gap.high:+.1f}"


def _p(p: float) -> str:
    return "< .001" if p < 0.001 else f"{p:.3f}".removeprefix("0")
