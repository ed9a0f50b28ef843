"""Accuracy against alpha and against cost: sweeps of the base model, beside what is proved."""

from __future__ import annotations

import re

from arms import ALPHA, FAMILIES, PARTICLES, STEPS
from marked import table, told
from proofs import between
from results import ArmResult, Results
from summary import accuracy

CUTS = ("restart", "uniform", "entropy")
MAIN_OF = {("restart", STEPS): "power", ("smc", PARTICLES): "smc", ("best-of-n", PARTICLES): "best-of-n"}


def by_alpha(results: Results) -> dict[float, ArmResult]:
    """The chain at each alpha that was sampled; 1 is the base itself."""
    found = {1.0: results.arms["base"]}
    found |= {
        float(name.removeprefix("alpha-")): arm
        for name, arm in results.arms.items()
        if name.startswith("alpha-")
    }
    if "power" in results.arms:
        found[float(ALPHA)] = results.arms["power"]
    return dict(sorted(found.items()))


def by_cost(results: Results) -> dict[str, dict[int, ArmResult]]:
    """The arms of a sweep by what is turned up: steps of a chain by its cut law, particles, answers to choose from."""
    found: dict[str, dict[int, ArmResult]] = {}
    for name, arm in results.arms.items():
        match = re.fullmatch(rf"({'|'.join(CUTS)}|smc|best-of-n)-(\d+)", name)
        if match:
            found.setdefault(match[1], {})[int(match[2])] = arm
    for kind in ("smc", "best-of-n"):
        if kind in results.arms:
            found.setdefault(kind, {})[PARTICLES] = results.arms[kind]
    if "power" in results.arms and STEPS not in found.get("restart", {}):
        found.setdefault("restart", {})[STEPS] = results.arms["power"]
    return {kind: dict(sorted(arms.items())) for kind, arms in sorted(found.items())}


def alphas(results: Results) -> str:
    """Sampled and exact."""
    truth, sampled = results.truth.get("lab-base"), by_alpha(results)
    rows = []
    for alpha in sorted({*sampled, *(map(float, truth.accuracy) if truth else ())}):
        arm = sampled.get(alpha)
        cells = (
            [told(accuracy(arm, results.places()))]
            + [f"{accuracy(arm, results.places(family)).value:.2f}" for family in FAMILIES]
            if arm
            else [""] * 4
        )
        exact = [
            between(truth, alpha, results.places(family)) if truth else "" for family in (None, *FAMILIES)
        ]
        rows.append([f"{alpha:g}", *cells, *exact])
    return table(
        ["alpha", f"chain, {STEPS} steps", *FAMILIES, "exact", *(f"exact, {family}" for family in FAMILIES)],
        rows,
    )


def seconds(results: Results, kind: str, n: int) -> str:
    """Over a plain answer's, where they were measured."""
    found = results.times.get(MAIN_OF.get((kind, n), f"{kind}-{n}"))
    return "" if found is None else f"{found:.1f}x"


def costs(results: Results) -> str:
    """Accuracy against tokens and seconds, by sampler and cut law."""
    base, rows = results.arms["base"], []
    for kind, arms in by_cost(results).items():
        for n, arm in arms.items():
            families = [f"{accuracy(arm, results.places(family)).value:.2f}" for family in FAMILIES]
            rows.append(
                [
                    f"{kind} {n}", told(accuracy(arm, results.places())), *families, f"{arm.tokens:.1f}",
                    f"{arm.tokens / base.tokens:.1f}x", seconds(results, kind, n),
                ]
            )  # fmt: skip
    return table(["sampler", "right", *FAMILIES, "tokens drawn", "over base", "seconds"], rows)
