"""Trains lab-tools from scratch, going on where it was stopped: `python scripts/lab/tools_base.py [--steps N]`."""

from __future__ import annotations

import numpy as np
import torch
from network import CONTEXT, Network
from tools_corpus import EOS, SHAPE, page, row
from torch.nn import functional
from train_base import BATCH, options_of, pretrain


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
    options = options_of(__doc__)
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    pretrain("tools", Network(SHAPE), options, batch, loss_of)


if __name__ == "__main__":
    main()
