"""The tables of the fourth family, from docs/lab-tools.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from marked import table, told

from localpower.lab.problems import LEVELS
from localpower.statistics import Interval, share_right

COUNTS = Path(__file__).resolve().parent.parent.parent / "docs" / "lab-tools.json"
_LEVEL, _N, _RIGHT, _CALLED = range(4)


def _share(problems: list[list[int]], which: int) -> Interval:
    """Of answers, with an interval over problems."""
    return share_right([[i < each[which] for i in range(each[_N])] for each in problems])


def _mean(problems: list[list[int]], which: int) -> float:
    return sum(each[which] / each[_N] for each in problems) / len(problems)


def tools(_results: object = None) -> str:
    """Right answers and calls of every arm."""
    counts: dict[str, Any] = json.loads(COUNTS.read_text())
    rows = []
    for name, arm in counts["arms"].items():
        problems = list(arm["problems"].values())
        rows.append(
            [
                name,
                told(_share(problems, _RIGHT)),
                told(_share(problems, _CALLED)),
                f"{arm['calls']:.2f}",
                f"{arm['drawn']:.0f}",
                str(max(each[_N] for each in problems)),
            ]
        )
    header = ["arm", "right", "answers with a call that was answered", "calls", "tokens drawn", "answers"]
    return table(header, rows)


def tools_levels(_results: object = None) -> str:
    """Right answers by level."""
    counts: dict[str, Any] = json.loads(COUNTS.read_text())
    rows = []
    for name, arm in counts["arms"].items():
        some = {level: [p for p in arm["problems"].values() if p[_LEVEL] == level] for level in LEVELS}
        rows.append([name, *(f"{_mean(some[level], _RIGHT):.2f}" if some[level] else "" for level in LEVELS)])
    return table(["arm", *(f"level {level}" for level in LEVELS)], rows)
