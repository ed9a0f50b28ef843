"""What a model can still say: `python scripts/lab/breadth.py MODEL.gguf... [--samples 32]`, held-out problems, T = 1.

By family: pass@1, pass@k (share of problems solved by at least one of k answers), distinct answers among k, the share
of answers that show their working, and mean log p of the answers under the first model named.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from network import load
from sampling import draw_answers, token_log_p

from localpower.lab.problems import FAMILIES, LEVELS, draw, verify


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--problems", type=int, default=16, help="of each family and level")
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--seed", type=int, default=2)
    options = parser.parse_args()
    networks = {path.stem: load(path) for path in options.models}
    reference = next(iter(networks.values()))
    for name, network in networks.items():
        generator = torch.Generator().manual_seed(options.seed)
        rng = np.random.default_rng(options.seed)
        for family in FAMILIES:
            right, distinct, working, log_p = [], [], [], []
            for level in LEVELS:
                for _ in range(options.problems):
                    problem = draw(family, level, rng, held_out=True)
                    drawn = draw_answers(network, [problem.prompt] * options.samples, 1.0, generator)
                    texts = drawn.texts()
                    right.append([verify(problem, text) for text in texts])
                    distinct.append(len(set(texts)))
                    working.append(np.mean([not text.startswith(">") for text in texts]))
                    with torch.no_grad():
                        scores = (token_log_p(reference, drawn.tokens) * drawn.mask()).sum(1)
                    log_p.append(scores.mean().item())
            grid = np.array(right)
            print(
                f"{name:<9} {family:<10} pass@1 {grid.mean():.2f}  pass@{options.samples} {grid.any(1).mean():.2f}  "
                f"distinct {np.mean(distinct):.1f}  working {np.mean(working):.2f}  log p {np.mean(log_p):.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
