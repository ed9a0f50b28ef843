"""Trains lab-tools by GRPO with the verifier as its only reward: the calculator answers its calls while it draws.

`python scripts/lab/tools_grpo.py [--steps N]`, going on where it was stopped. As train_grpo.py; the ratio and the loss
are of the tokens that the model drew, observations are given.
"""

from __future__ import annotations

import argparse
import copy
from pathlib import Path

import numpy as np
import torch
from keeping import Kept, descend
from network import export, load
from sampling import token_log_p
from tools_corpus import SHAPE
from tools_sampling import draw_traces
from train_grpo import GROUP, RATE, advantages, loss_of

from localpower.lab.problems import LEVELS, Problem, verify
from localpower.lab.products import draw_product

ROOT = Path(__file__).resolve().parent.parent.parent
PROBLEMS, EPOCHS, KEEP_EVERY = 16, 2, 10


def problems_of(seed: int, step: int) -> list[Problem]:
    """Training problems of a step, each GROUP times in a row."""
    rng = np.random.default_rng([seed, step, 7])
    found = [draw_product(int(rng.choice(LEVELS)), rng, held_out=False) for _ in range(PROBLEMS)]
    return [problem for problem in found for _ in range(GROUP)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--base", type=Path, default=ROOT / "models" / "lab-tools.gguf")
    parser.add_argument("--folder", type=Path, default=Path(".cache/lab"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    base = load(options.base, SHAPE)
    network = copy.deepcopy(base)
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, betas=(0.9, 0.95), weight_decay=0.0)
    kept = Kept(options.folder, "tools-grpo", network, optimizer, KEEP_EVERY)
    for step in kept.steps(options.steps, "reward"):
        problems = problems_of(options.seed, step)
        generator = torch.Generator().manual_seed(options.seed * 1_000_003 + step)
        drawn = draw_traces(network, [problem.prompt for problem in problems], generator)
        right = torch.tensor(
            [float(verify(p, text)) for p, text in zip(problems, drawn.texts(), strict=True)]
        )
        right *= drawn.ended
        mask = drawn.mask()
        longest = int(mask.any(0).nonzero().max()) + 2
        tokens, mask = drawn.tokens[:, :longest], mask[:, : longest - 1]
        with torch.no_grad():
            old, near = token_log_p(network, tokens), token_log_p(base, tokens)
        gain = advantages(right)
        for _ in range(EPOCHS):
            descend(network, optimizer, loss_of(token_log_p(network, tokens), old, near, gain, mask))
        kept.values.append(float(right.mean()))
        kept.right.append(float((drawn.called > 0).float().mean()))
    export(network, options.folder / "tools-grpo.gguf", "tools-grpo")


if __name__ == "__main__":
    main()
