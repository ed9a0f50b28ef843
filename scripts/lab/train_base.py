"""Trains lab-base from scratch, going on where it was stopped: `python scripts/lab/train_base.py [--steps N]`."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
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


def options_of(about: str | None) -> argparse.Namespace:
    """What a training from scratch is told: steps, seed, folder."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path(".cache/lab"))
    return parser.parse_args()


def pretrain(
    name: str,
    network: Network,
    options: argparse.Namespace,
    draw: Callable[[int, int], torch.Tensor],
    loss: Callable[[Network, torch.Tensor], torch.Tensor],
) -> None:
    """Train on draw(seed, step) and write lab-NAME.gguf; goes on where it was stopped."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, betas=(0.9, 0.95), weight_decay=0.1)
    kept = Kept(options.folder, name, network, optimizer, KEEP_EVERY)
    for step in kept.steps(options.steps, "loss"):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, options.steps)
        found = loss(network, draw(options.seed, step))
        descend(network, optimizer, found)
        kept.values.append(found.item())
    export(network, options.folder / f"lab-{name}.gguf", f"lab-{name}")


def main() -> None:
    options = options_of(__doc__)
    torch.manual_seed(options.seed)
    pretrain("base", Network(), options, batch, loss_of)


if __name__ == "__main__":
    main()
