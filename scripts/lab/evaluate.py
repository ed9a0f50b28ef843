"""Pass rates on held-out problems: `python scripts/lab/evaluate.py MODEL.gguf [--temperatures 1 0.25 0]`."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from network import load
from sampling import draw_answers

from localpower.lab.problems import FAMILIES, LEVELS, draw, verify

_AT_ONCE = 256


def wilson(right: int, n: int) -> tuple[float, float]:
    """95 % interval of a share."""
    z = 1.959964
    centre, half = right + z * z / 2, z * math.sqrt(right * (n - right) / n + z * z / 4)
    return (centre - half) / (n + z * z), (centre + half) / (n + z * z)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--problems", type=int, default=256, help="of each family and level")
    parser.add_argument("--temperatures", type=float, nargs="+", default=[1.0, 0.25, 0.0])
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    network = load(options.model)
    rows = []
    for temperature in options.temperatures:
        for family in FAMILIES:
            rng = np.random.default_rng(options.seed)  # the same problems at every temperature
            generator = torch.Generator().manual_seed(options.seed)
            for level in LEVELS:
                problems = [draw(family, level, rng, held_out=True) for _ in range(options.problems)]
                start, right = time.perf_counter(), 0
                for i in range(0, len(problems), _AT_ONCE):
                    part = problems[i : i + _AT_ONCE]
                    drawn = draw_answers(network, [p.prompt for p in part], temperature, generator)
                    right += sum(map(verify, part, drawn.texts()))
                low, high = wilson(right, len(problems))
                rows.append((temperature, family, level, right / len(problems), low, high))
                print(
                    f"T={temperature:<5g} {family:<10} {level}  {rows[-1][3]:.3f} [{low:.3f}, {high:.3f}]  "
                    f"{time.perf_counter() - start:.1f} s",
                    flush=True,
                )
    print(json.dumps({"model": options.model.name, "problems": options.problems, "rows": rows}))


if __name__ == "__main__":
    main()
