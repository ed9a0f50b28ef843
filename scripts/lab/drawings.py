"""The pictures of docs/lab.md by name."""

from __future__ import annotations

from arms import ALPHA, FAMILIES, STEPS
from cold_tables import cold_panels
from controls import REWARDS, at_steps
from panels import Curve, Panel, steps, svg
from results import ArmResult, Results
from summary import accuracy, ks, passes
from sweeping import MAIN_OF, by_alpha, by_cost

_PASSES = ("base", "low-temp", "power", "smc", "sft", "grpo", "grpo-low-temp")
_SEEN = 0.003
_LIKELY = ("base", "low-temp", "power", "sft", "grpo")


def drawings(results: Results) -> dict[str, str]:
    """Every picture for which there are numbers."""
    found = {
        "pass": [_pass_panel(results, None), *(_pass_panel(results, family) for family in FAMILIES)],
        "likelihood": _likelihood(results),
        "cost": [panel for timed in (False, True) if (panel := _cost(results, timed=timed))],
        "alpha": _alpha(results),
        "training": _training(results),
        "cold": cold_panels(results),
    }
    return {name: svg(panels) for name, panels in found.items() if panels}


def _value(results: Results, arm: ArmResult, family: str | None = None) -> float:
    return accuracy(arm, results.places(family)).value


def _pass_panel(results: Results, family: str | None) -> Panel:
    curves = []
    for name in _PASSES:
        if name in results.arms:
            arm = results.arms[name]
            values = passes(arm, results.places(family), ks(arm))
            curves.append(Curve(name, [(k, each.value) for k, each in zip(ks(arm), values, strict=True)]))
    return Panel(f"pass@k, {family or 'all families'}", "answers k", "share solved", curves, log=True)


def _likelihood(results: Results) -> list[Panel]:
    names = [name for name in _LIKELY if name in results.arms]
    pairs = (
        ("log p of a token under the base, mean of an answer", "likely", results.likely_edges),
        ("confidence: minus entropy, mean of an answer", "confident", results.confident_edges),
    )
    panels = []
    for title, field, edges in pairs:
        counts = {name: each for name in names if (each := getattr(results.arms[name], field))}
        first = min(  # bins before this one are empty to the eye
            (i for each in counts.values() for i, n in enumerate(each) if n > _SEEN * sum(each)), default=0
        )
        curves = [Curve(name, steps(edges, each)[2 * first :]) for name, each in counts.items()]
        panels.append(Panel(title, "nats", "share of answers", curves))
    return panels


def _cost(results: Results, *, timed: bool) -> Panel | None:
    """None where seconds are wanted and were not measured."""
    plain = results.arms["base"].tokens

    def x(name: str, arm: ArmResult) -> float:
        return results.times.get(name, 0.0) if timed else arm.tokens / plain

    kinds = by_cost(results)
    named = {
        kind: [(MAIN_OF.get((kind, n), f"{kind}-{n}"), arm) for n, arm in arms.items()]
        for kind, arms in kinds.items()
    }
    for name in ("base", "low-temp", "sft", "grpo"):
        if name in results.arms:
            named.setdefault(name, []).append((name, results.arms[name]))
    curves = [
        Curve(kind, points)
        for kind, arms in named.items()
        if (points := sorted((x(name, arm), _value(results, arm)) for name, arm in arms if x(name, arm)))
    ]
    if len(curves) < 2:
        return None
    what = "seconds" if timed else "tokens drawn"
    return Panel(f"accuracy against {what}", f"{what}, over a plain answer's", "right", curves, log=True)


def _alpha(results: Results) -> list[Panel]:
    sampled, truth = by_alpha(results), results.truth.get("lab-base")
    curves = [Curve(f"{STEPS} steps", [(alpha, _value(results, arm)) for alpha, arm in sampled.items()])]
    if truth:
        points = []
        for alpha in map(float, truth.accuracy):
            bounds = truth.accuracy[f"{alpha:g}"]
            mine = [each for each in bounds if each is not None]
            if alpha > 1 and mine:
                points.append((alpha, sum(low + high for low, high in mine) / (2 * len(mine))))
        if points:
            curves.append(Curve("exact p^alpha", points, dashed=True))
    panels = [Panel("accuracy against alpha", "alpha", "right", curves)]
    by_steps = [
        Curve(f"{kind} cuts", [(n, _value(results, arm)) for n, arm in arms.items()])
        for kind, arms in by_cost(results).items()
        if kind not in ("smc", "best-of-n") and len(arms) > 1
    ]
    if truth and by_steps:
        bounds = [each for each in truth.accuracy[f"{ALPHA:g}"] if each is not None]
        level = sum(low + high for low, high in bounds) / (2 * len(bounds))
        ends = sorted(n for n, _ in by_steps[0].points)
        by_steps.append(Curve(f"exact p^{ALPHA}", [(ends[0], level), (ends[-1], level)], dashed=True))
    if by_steps:
        panels.append(Panel("accuracy against steps", "steps", "right", by_steps, log=True))
    return panels


def _training(results: Results) -> list[Panel]:
    curves = [
        Curve(reward, [(step, _value(results, arm)) for step, arm in steps_of.items()])
        for reward in REWARDS
        if len(steps_of := at_steps(results, reward)) > 1
    ]
    if curves and "power" in results.arms:
        value, last = (
            _value(results, results.arms["power"]),
            max(x for each in curves for x, _ in each.points),
        )
        curves.append(Curve("power", [(0, value), (last, value)], dashed=True))
    return [Panel("accuracy against steps of GRPO, by reward", "steps", "right", curves)] if curves else []
