"""Asks every arm of the fourth family and counts: `python scripts/lab/tools_experiment.py OUT`.

OUT holds an eval for each arm, which goes on where it was stopped; docs/lab-tools.json gets the counts. FOLDER holds
the models that `tools_sft.py` and `tools_grpo.py` wrote.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

import localpower
from localpower.evals.store import Stored, read

COUNTS = ROOT / "docs" / "lab-tools.json"


class Arm(NamedTuple):
    """model: a name, or a file of the folder. samples: answers to each problem."""

    model: str
    method: str
    samples: int


ARMS = {
    "base": Arm("lab-tools", "base", 8),
    "low-temp": Arm("lab-tools", "low-temp:alpha=4", 4),
    "best-of-n, 20 draws": Arm("lab-tools", "best-of-n:alpha=4:n=20:temperature=1", 1),
    "smc, 20 particles": Arm("lab-tools", "smc:alpha=4:particles=20", 1),
    "power, 20 steps": Arm("lab-tools", "power:alpha=4:steps=20", 1),
    "power, 100 steps": Arm("lab-tools", "power:alpha=4:steps=100", 1),
    "SFT on plain draws": Arm("tools-sft-plain", "base", 8),
    "SFT on power traces": Arm("tools-sft-power", "base", 8),
    "SFT on plain draws that call": Arm("tools-sft-plain-called", "base", 8),
    "SFT on power traces that call": Arm("tools-sft-power-called", "base", 8),
    "GRPO": Arm("tools-grpo", "base", 8),
}


def _level(stored: Stored, problem: str) -> int:
    return int(stored.problems["lab-product", problem]["group"].split()[1])


def counted(run: localpower.EvalRun, arm: Arm) -> dict[str, Any]:
    """Of every problem its level, answers, right ones and those with a call that was answered; means over answers."""
    problems: dict[str, list[int]] = {}
    calls = bad = drawn = 0
    stored = read(run.path)
    rows = stored.rows
    for row in rows:
        made = [call for turn in row["trace"]["turns"] for call in turn.get("calls") or ()]
        counts = problems.setdefault(row["id"], [_level(stored, row["id"]), 0, 0, 0])
        counts[1] += 1
        counts[2] += row["verdict"] == "right"
        counts[3] += any(call["ok"] for call in made)
        calls, bad = calls + len(made), bad + sum(not call["ok"] for call in made)
        drawn += row["decoded_tokens"]
    return {
        "model": arm.model,
        "method": arm.method,
        "problems": dict(sorted(problems.items())),
        "calls": calls / len(rows),
        "bad_calls": bad,
        "drawn": drawn / len(rows),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--limit", type=int, default=100)
    parser.add_argument("--folder", type=Path, default=Path(".cache/lab"))
    options = parser.parse_args()
    found: dict[str, Any] = {"limit": options.limit, "seed": 1, "arms": {}}
    for name, arm in ARMS.items():
        file = options.folder / f"{arm.model}.gguf"
        if arm.model != "lab-tools" and not file.exists():
            print(f"{name}: there is no {file}", file=sys.stderr)
            continue
        run = localpower.evaluate(
            "lab-product",
            "lab-tools" if arm.model == "lab-tools" else str(file),
            [arm.method],
            limit=options.limit,
            samples=arm.samples,
            seed=1,
            out=options.out / name.replace(", ", "-").replace(" ", "-"),
            max_turns=4,
            observation_tokens=20,
        )
        found["arms"][name] = counted(run, arm)
        COUNTS.write_text(json.dumps(found, indent=1) + "\n")
        print(name, file=sys.stderr)


if __name__ == "__main__":
    main()
