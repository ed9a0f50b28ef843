"""What cold starts were worth: before and after reinforcement learning, as a table and as a picture."""

from __future__ import annotations

from arms import FAMILIES
from cold_start import BASE, CHECKPOINTS, GRPO_STEPS, NAMES, STARTS, name_at
from marked import table, told
from panels import Curve, Panel
from results import DISTINCT_OF, ArmResult, Results
from summary import accuracy, alone, gain, ks, passes

MANY = 16  # of the answers: between a single one and all


def at_step(results: Results, start: str, step: int) -> tuple[str, ArmResult] | None:
    """The arm of a start after so many steps, and its name; None: not measured. The base's start is the base itself."""
    name = BASE if (start, step) == (BASE, 0) else name_at(start, step)
    return (name, results.arms[name]) if name in results.arms else None


def cold(results: Results) -> str:
    """Every start before and after the same GRPO, beside the base as it was."""
    base, places, rows = results.arms[BASE], results.places(), []
    for step in (0, GRPO_STEPS):
        for start in NAMES:
            found = at_step(results, start, step)
            if found is None:
                continue
            name, arm = found
            k = max(base.n)
            families = [f"{accuracy(arm, results.places(family)).value:.2f}" for family in FAMILIES]
            whole = min(arm.n) >= k
            sets = alone(results, BASE, name, k, places) if whole and arm is not base else ()
            near = "0" if arm is base else f"{arm.kl:.2f}"
            rows.append(
                [
                    start, str(step), told(accuracy(arm, places)), *families,
                    f"{passes(arm, places, [MANY])[0].value:.3f}",
                    told(passes(arm, places, [k])[0]) if whole else "",
                    *([f"{n:.0f}" for n in sets] or ["", ""]), f"{arm.distinct:.1f}", f"{arm.entropy:.3f}", near,
                ]
            )  # fmt: skip
    header = [
        "start", "steps", "right", *FAMILIES, f"pass@{MANY}", f"pass@{max(base.n)}", "base alone", "it alone",
        f"distinct of {DISTINCT_OF}", "entropy", "KL",
    ]  # fmt: skip
    return table(header, rows)


def cold_gains(results: Results) -> str:
    """Each start, before and after GRPO, minus no start after the same GRPO, paired by problem; what GRPO added."""
    places, rows = results.places(), []
    plain = at_step(results, BASE, GRPO_STEPS)
    for start in NAMES:
        before, after = at_step(results, start, 0), at_step(results, start, GRPO_STEPS)
        if plain is None or before is None or after is None:
            continue
        k = min(*plain[1].n, *after[1].n)
        cells = [""] * 5
        if start != BASE:
            difference, p = gain(plain[1], after[1], places)
            lost, won = alone(results, plain[0], after[0], k, places)
            early = gain(plain[1], before[1], places)[0]
            cells = [
                told(early, signed=True),
                told(difference, signed=True),
                f"{p:.3f}",
                f"{lost:.0f}",
                f"{won:.0f}",
            ]
        rows.append([start, told(gain(before[1], after[1], places)[0], signed=True), *cells])
    header = [
        "start", "GRPO added", "before it, minus base's GRPO", "after it, minus base's GRPO", "p", "base's GRPO alone",
        "it alone",
    ]  # fmt: skip
    return table(header, rows)


def cold_data(_results: Results) -> str:
    """Which start learns from what."""
    return table(["start", "rows"], [[each.name, f"{each.about}: `{each.method}`"] for each in STARTS])


def cold_panels(results: Results) -> list[Panel]:
    """Accuracy against steps of GRPO, and pass@k after them, by start."""
    against, many = [], []
    for start in NAMES:
        found = {step: each[1] for step in (0, *CHECKPOINTS) if (each := at_step(results, start, step))}
        if len(found) > 1:
            points = [(step, accuracy(arm, results.places()).value) for step, arm in found.items()]
            against.append(Curve(start, points))
        if GRPO_STEPS in found:
            arm = found[GRPO_STEPS]
            values = passes(arm, results.places(), ks(arm))
            many.append(Curve(start, [(k, each.value) for k, each in zip(ks(arm), values, strict=True)]))
    if not against or not many:
        return []
    return [
        Panel("accuracy against steps of GRPO, by cold start", "steps", "right", against),
        Panel(f"pass@k after {GRPO_STEPS} steps, by cold start", "answers k", "share solved", many, log=True),
    ]
