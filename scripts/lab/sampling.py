"""Draws answers from a network, many at a time, and says what they cost."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from network import BOS, CONTEXT, EOS, Network, decode, encode
from torch import Tensor


@dataclass(frozen=True)
class Drawn:
    """tokens (n, CONTEXT), end tokens after the last; answers lie at starts..lengths-1, their end token included."""

    tokens: Tensor
    starts: Tensor
    lengths: Tensor

    def texts(self) -> list[str]:
        spans = zip(self.tokens.tolist(), self.starts.tolist(), self.lengths.tolist(), strict=True)
        return [decode(row[start:stop]) for row, start, stop in spans]

    def mask(self) -> Tensor:
        """(n, CONTEXT - 1): where the next token belongs to the answer."""
        place = torch.arange(1, CONTEXT)
        return (place >= self.starts[:, None]) & (place < self.lengths[:, None])


@torch.no_grad()
def draw_answers(
    network: Network, prompts: list[str], temperature: float, generator: torch.Generator
) -> Drawn:
    """One answer a prompt (temperature 0: greedy); what does not end within the context is cut there."""
    tokens = torch.full((len(prompts), CONTEXT), EOS)
    for i, prompt in enumerate(prompts):
        row = torch.tensor([BOS, *encode(prompt)])
        tokens[i, : len(row)] = row
    starts = torch.tensor([1 + len(prompt) for prompt in prompts])
    lengths, alive = starts.clone(), torch.ones(len(prompts), dtype=torch.bool)
    caches = network.caches(len(prompts))
    for at in range(CONTEXT - 1):
        logits = network.read(tokens[:, at], at, caches)
        if temperature == 0:
            drawn = logits.argmax(-1)
        else:
            drawn = torch.multinomial((logits / temperature).softmax(-1), 1, generator=generator).squeeze(1)
        here = alive & (starts <= at + 1)
        tokens[here, at + 1] = drawn[here]
        lengths[here] = at + 2
        alive &= ~here | (drawn != EOS)
        if not alive.any():
            break
    return Drawn(tokens, starts, lengths)


def token_log_p(network: Network, tokens: Tensor) -> Tensor:
    """log p of every token after the first, (n, length - 1), nats."""
    return network(tokens[:, :-1]).log_softmax(-1).gather(2, tokens[:, 1:, None]).squeeze(2)
