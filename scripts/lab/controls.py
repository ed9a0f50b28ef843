"""Reinforcement learning with other rewards, and step by step."""

from __future__ import annotations

import re
from statistics import fmean

from arms import ENDS, FAMILIES
from marked import table, told
from results import DISTINCT_OF, ArmResult, Results
from summary import accuracy, gain, passes

REWARDS = {"verifier": "grpo", "random": "grpo-random", "log-p": "grpo-log-p"}
LAST = 150  # steps of lab-grpo


def at_steps(results: Results, reward: str) -> dict[int, ArmResult]:
    """The model of a reward after so many steps; 0 is the base."""
    found = {0: results.arms["base"]}
    for name, arm in results.arms.items():
        match = re.fullmatch(rf"{REWARDS[reward]}-(\d+)", name)
        if match:
            found[int(match[1])] = arm
    if reward == "verifier" and "grpo" in results.arms:
        found[LAST] = results.arms["grpo"]
    return dict(sorted(found.items()))


def controls(results: Results) -> str:
    """Where each reward led."""
    named = {"base": results.arms["base"]}
    for reward in REWARDS:
        steps = at_steps(results, reward)
        named |= {f"{reward}, {end} steps": steps[int(end)] for end in ENDS if int(end) in steps}
    rows = []
    for name, arm in named.items():
        places = results.places()
        families = [f"{accuracy(arm, results.places(family)).value:.2f}" for family in FAMILIES]
        difference = "" if name == "base" else told(gain(results.arms["base"], arm, places)[0], signed=True)
        rows.append(
            [
                name, told(accuracy(arm, places)), *families, difference,
                f"{passes(arm, places, [DISTINCT_OF])[0].value:.3f}", f"{arm.distinct:.1f}", f"{arm.length:.1f}",
                f"{arm.log_p:.1f}",
            ]
        )  # fmt: skip
    header = [
        "reward", "right", *FAMILIES, "minus base", f"pass@{DISTINCT_OF}", f"distinct of {DISTINCT_OF}", "tokens",
        "log p",
    ]  # fmt: skip
    return table(header, rows) + _against_verifier(results)


def _against_verifier(results: Results) -> str:
    """Each control minus the verifier at as many steps, paired by problem."""
    verifier, lines = at_steps(results, "verifier"), []
    for reward in ("log-p", "random"):
        steps = at_steps(results, reward)
        for end in map(int, ENDS):
            if end in steps and end in verifier:
                parts = [
                    f"{family or 'all'} {told(gain(verifier[end], steps[end], results.places(family))[0], signed=True)}"
                    for family in (None, *FAMILIES)
                ]
                lines.append(f"{reward} minus verifier after {end} steps: {'; '.join(parts)}.")
    return "".join(f"\n\n{each}" for each in lines)


def checkpoints(results: Results) -> str:
    """Accuracy against steps of reinforcement learning."""
    rows = []
    wanted = sorted({step for reward in REWARDS for step in at_steps(results, reward)})
    for reward in REWARDS:
        steps = at_steps(results, reward)
        if len(steps) > 1:
            cells = [
                told(accuracy(steps[step], results.places())) if step in steps else "" for step in wanted
            ]
            rows.append([reward, *cells])
    for name, curve in results.curves.items():
        if curve.get("right"):
            right = curve["right"]
            cells = [
                f"{fmean(right[max(step - 3, 0) : step + 3]):.3f}" if step <= len(right) else ""
                for step in wanted
            ]
            rows.append([f"{name}, in training", *cells])
    return table(["reward", *(str(step) for step in wanted)], rows)
