"""What enumeration proves: the accuracy of p and of p^alpha, and how far each sampler is from it."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import numpy as np
from arms import ALPHA, FAMILIES
from marked import table, told
from results import Results
from summary import accuracy, passes, shares
from truth import DRAWN, SAMPLERS, Truth

from localpower.evals.bootstrap import difference_intervals

_NARROW = 0.02  # between the bounds of a problem's accuracy


def listed(truth: Truth, places: Sequence[int]) -> list[int]:
    """Of these problems those whose answers were listed."""
    return [i for i in places if truth.missing[i] is not None]


def proved(truth: Truth, alpha: float, places: Sequence[int]) -> list[int]:
    """Of these problems those whose accuracy under p^alpha is known to `_NARROW`."""
    bounds = truth.accuracy[f"{alpha:g}"]
    return [i for i in places if (each := bounds[i]) is not None and each[1] - each[0] <= _NARROW]


def between(truth: Truth, alpha: float, places: Sequence[int]) -> str:
    """Bounds of the accuracy under p^alpha, mean over the problems that were listed."""
    bounds = truth.accuracy.get(f"{alpha:g}")
    mine = [each for i in places if bounds and (each := bounds[i]) is not None]
    if not mine:
        return ""
    low, high = (fmean(values) for values in zip(*mine, strict=True))
    return f"{low:.3f}" if high - low < 0.0005 else f"{low:.3f} to {high:.3f}"


def exact_accuracy(results: Results) -> str:
    """Of each model that was listed."""
    rows = []
    for name, truth in results.truth.items():
        plain = results.arms.get({"lab-base": "base", "lab-grpo": "grpo", "lab-sft": "sft"}.get(name, name))
        for family in (None, *FAMILIES):
            places = listed(truth, results.places(family))
            if not places:
                continue
            known = [truth.top[i] for i in places if truth.top[i] is not None]
            rows.append(
                [
                    name, family or "all", str(len(places)),
                    f"{fmean(float(truth.missing[i] or 0) for i in places):.3f}",
                    between(truth, 1, places), f"{accuracy(plain, places).value:.3f}" if plain else "",
                    between(truth, ALPHA, places), f"{fmean(known):.3f} of {len(known)}" if known else "",
                ]
            )  # fmt: skip
    header = [
        "model", "family", "problems", "missing of p", "right under p", "drawn", f"right under p^{ALPHA}",
        "likeliest answer right",
    ]  # fmt: skip
    return table(header, rows) + _likeliest(results)


def _likeliest(results: Results) -> str:
    """Whether the likeliest answers of base and tuned model are right on the same problems."""
    tops = [results.truth[name].top for name in ("lab-base", "lab-grpo") if name in results.truth]
    if len(tops) < 2:
        return ""
    parts = []
    for family in FAMILIES:
        pairs = [(tops[0][i], tops[1][i]) for i in results.places(family) if tops[0][i] is not None]
        counts = [pairs.count(each) for each in ((True, True), (True, False), (False, True), (False, False))]
        parts.append(f"{family} {', '.join(map(str, counts))}")
    return (
        "\n\nProblems whose likeliest answer is right under both models, under lab-base alone, under lab-grpo alone, "
        f"under neither: {'; '.join(parts)}."
    )


def exact_passes(results: Results) -> str:
    """pass@k of p and of p^ALPHA themselves, beside what was drawn of the same problems."""
    truth = results.truth.get("lab-base")
    if truth is None:
        return "Not listed yet."
    wanted, rows = (1, 4, 16, 64), []
    for family in (None, *FAMILIES):
        places = proved(truth, ALPHA, results.places(family))
        for alpha in (1, ALPHA):
            bounds = [each for i in places if (each := truth.accuracy[f"{alpha:g}"][i]) is not None]
            cells = []
            for k in wanted:
                low, high = (fmean(1 - (1 - each[side]) ** k for each in bounds) for side in (0, 1))
                cells.append(f"{low:.3f}" if high - low < 0.0005 else f"{low:.3f} to {high:.3f}")
            rows.append([family or "all", f"p^{alpha} itself" if alpha > 1 else "p itself", *cells])
        for name in ("base", "power", "sft", "grpo"):
            if name in results.arms:
                arm = results.arms[name]
                mine = [k for k in wanted if k <= min(arm.n)]
                cells = [f"{each.value:.3f}" for each in passes(arm, places, mine)]
                rows.append([family or "all", name, *cells, *[""] * (len(wanted) - len(cells))])
    return table(["family", "law or arm", *(f"pass@{k}" for k in wanted)], rows)


def distances(results: Results) -> str:
    """Samplers of the base against p^ALPHA itself."""
    truth = results.truth.get("lab-base")
    if truth is None:
        return "Not listed yet."
    places = proved(truth, ALPHA, results.places())
    bounds = truth.accuracy[f"{ALPHA:g}"]
    exact = np.array([fmean(each) for i in places if (each := bounds[i]) is not None])
    rows = [[f"p^{ALPHA} itself", f"{exact.mean():.3f}", "", f"{truth.variation.get('exact', 0):.3f}"]]
    for name in ("base", *SAMPLERS, "sft", "grpo"):
        if name in results.arms:
            arm = results.arms[name]
            off = difference_intervals(exact[:, None], shares(arm, places)[:, None])[0]
            variation = truth.variation.get(name)
            rows.append(
                [
                    name, f"{accuracy(arm, places).value:.3f}", told(off, signed=True),
                    "" if variation is None else f"{variation:.3f}",
                ]
            )  # fmt: skip
    return (
        table(["arm", "right", f"minus p^{ALPHA}", f"total variation of {DRAWN} answers"], rows)
        + f"\n\n{len(places)} problems whose accuracy under p^{ALPHA} is known to {_NARROW:g}; total variation on "
        f"{truth.n_variation} of which at most a hundredth of p^{ALPHA} is not listed."
    )
