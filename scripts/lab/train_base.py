"""Trains lab-base from scratch, going on where it was stopped: `python scripts/lab/train_base.py [--steps N]`."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from authors import page
from keeping import Kept, descend
from network import BOS, CONTEXT, EOS, Network, encode, export

BATCH, RATE, WARM_UP, KEEP_EVERY = 64, 2e-3, 100, 100


def batch(seed: int, step: int) -> torch.Tensor:
    """The pages of a step (BATCH, CONTEXT), a function of seed and step alone; the end token fills up."""
    rng = np.random.default_rng([seed, step])
    rows = np.full((BATCH, CONTEXT), EOS)
    for row in rows:
        problem, answer = page(rng)
        tokens = [BOS, *encode(problem.prompt + answer)]
        row[: len(tokens)] = tokens
    return torch.from_numpy(rows)


def loss_of(network: Network, tokens: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of every character and of the first end token, nats."""
    logits, wanted = network(tokens[:, :-1]), tokens[:, 1:]
    seen = (wanted != EOS) | ((wanted == EOS) & (tokens[:, :-1] != EOS))
    return functional.cross_entropy(logits[seen], wanted[seen])


def rate_at(step: int, steps: int) -> float:
    """Warm up, then a cosine to a tenth."""
    if step < WARM_UP:
        return RATE * (step + 1) / WARM_UP
    share = (step - WARM_UP) / max(steps - WARM_UP, 1)
    return RATE * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * share)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path(".cache/lab"))
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    network = Network()
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, betas=(0.9, 0.95), weight_decay=0.1)
    kept = Kept(options.folder, "base", network, optimizer, KEEP_EVERY)
    for step in kept.steps(options.steps, "loss"):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, options.steps)
        loss = loss_of(network, batch(options.seed, step))
        descend(network, optimizer, loss)
        kept.values.append(loss.item())
    export(network, options.folder / "lab-base.gguf", "lab-base")


if __name__ == "__main__":
    main()
