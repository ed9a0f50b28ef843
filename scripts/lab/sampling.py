"""Draws answers from a network, many at a time: `answers(network, prompts, temperature, generator)`."""

from __future__ import annotations

import torch
from network import BOS, CONTEXT, EOS, Network, decode, encode


@torch.no_grad()
def answers(
    network: Network, prompts: list[str], temperature: float, generator: torch.Generator
) -> tuple[list[str], list[float]]:
    """One answer a prompt (temperature 0: greedy) and its log p under the network at temperature 1, nats.

    An answer that does not end within the context is cut there.
    """
    rows = [[BOS, *encode(prompt)] for prompt in prompts]
    tokens = torch.full((len(rows), CONTEXT), EOS)
    for i, row in enumerate(rows):
        tokens[i, : len(row)] = torch.tensor(row)
    lengths = torch.tensor([len(row) for row in rows])
    starts, log_p = lengths.clone(), torch.zeros(len(rows))
    alive = torch.ones(len(rows), dtype=torch.bool)
    while alive.any() and int(lengths[alive].max()) < CONTEXT:
        here = alive.nonzero().squeeze(1)
        longest = int(lengths[here].max())
        logits = network(tokens[here, :longest])[torch.arange(len(here)), lengths[here] - 1]
        if temperature == 0:
            drawn = logits.argmax(-1)
        else:
            drawn = torch.multinomial((logits / temperature).softmax(-1), 1, generator=generator).squeeze(1)
        log_p[here] += logits.log_softmax(-1).gather(1, drawn[:, None]).squeeze(1)
        tokens[here, lengths[here]] = drawn
        lengths[here] += 1
        alive[here] = (drawn != EOS) & (lengths[here] < CONTEXT)
    texts = [decode(tokens[i, starts[i] : lengths[i]].tolist()) for i in range(len(rows))]
    return texts, log_p.tolist()
