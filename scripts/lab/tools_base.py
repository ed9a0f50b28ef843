"""Trains lab-tools from scratch, going on where it was stopped: `python scripts/lab/tools_base.py [--steps N]`."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from keeping import Kept, descend
from network import CONTEXT, Network, export
from tools_corpus import EOS, SHAPE, page, row
from torch.nn import functional
from train_base import BATCH, RATE, rate_at

KEEP_EVERY = 100


def batch(seed: int, step: int) -> torch.Tensor:
    """The pages of a step (BATCH, longest), a function of seed and step alone; the end token fills up."""
    rng = np.random.default_rng([seed, step, 4])
    tokens = [row(problem.prompt + answer) for problem, answer in (page(rng) for _ in range(BATCH))]
    rows = np.full((BATCH, max(map(len, tokens)) + 1), EOS)
    for place, found in zip(rows, tokens, strict=True):
        place[: len(found)] = found
    assert rows.shape[1] <= CONTEXT
    return torch.from_numpy(rows)


def loss_of(network: Network, tokens: torch.Tensor, weight: torch.Tensor | None = None) -> torch.Tensor:
    """Mean cross-entropy of every character and of the first end token, nats. weight: (batch, length - 1), 0 or 1."""
    logits, wanted = network(tokens[:, :-1]), tokens[:, 1:]
    seen = (wanted != EOS) | (tokens[:, :-1] != EOS)
    seen &= weight.bool() if weight is not None else seen
    return functional.cross_entropy(logits[seen], wanted[seen])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path(".cache/lab"))
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    network = Network(SHAPE)
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, betas=(0.9, 0.95), weight_decay=0.1)
    kept = Kept(options.folder, "tools", network, optimizer, KEEP_EVERY)
    for step in kept.steps(options.steps, "loss"):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, options.steps)
        loss = loss_of(network, batch(options.seed, step))
        descend(network, optimizer, loss)
        kept.values.append(loss.item())
    export(network, options.folder / "lab-tools.gguf", "lab-tools")


if __name__ == "__main__":
    main()
