"""Draws traces of lab-tools in PyTorch, many at a time: what the model writes, and what the calculator answers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from network import CONTEXT, Network, decode
from tools_corpus import EOS, SHAPE, row, value
from torch import Tensor

CLOSE, ASK = SHAPE.alphabet.index("]"), SHAPE.alphabet.index("[")
LONGEST = CONTEXT - 1  # tokens of problem and trace


@dataclass(frozen=True)
class Traces:
    """tokens (n, CONTEXT), end tokens after the last; drawn: (n, CONTEXT), True where the model drew the token.

    called: calls that gave a value; bad: calls that gave none. ended: whether the end token was drawn.
    """

    tokens: Tensor
    starts: Tensor
    drawn: Tensor
    called: Tensor
    bad: Tensor
    ended: Tensor

    def texts(self) -> list[str]:
        return [
            decode(tokens[start:], SHAPE.alphabet)
            for tokens, start in zip(self.tokens.tolist(), self.starts.tolist(), strict=True)
        ]

    def mask(self) -> Tensor:
        """(n, CONTEXT - 1): where the next token was drawn by the model."""
        return self.drawn[:, 1:]


@torch.no_grad()
def draw_traces(
    network: Network,
    prompts: list[str],
    generator: torch.Generator,
    temperature: float = 1.0,
    begin: str = "",
) -> Traces:
    """One trace a prompt; what does not end within the context is cut there. begin: given to every answer."""
    n = len(prompts)
    tokens = torch.full((n, CONTEXT), EOS)
    given = torch.zeros((n, CONTEXT), dtype=torch.bool)  # tokens that are known already
    starts = torch.tensor([1 + len(prompt) for prompt in prompts])
    for i, prompt in enumerate(prompts):
        known = row(prompt + begin)
        tokens[i, : len(known)] = torch.tensor(known)
        given[i, : len(known)] = True
    drawn = torch.zeros((n, CONTEXT), dtype=torch.bool)
    called, bad = torch.zeros(n, dtype=torch.long), torch.zeros(n, dtype=torch.long)
    ended = torch.zeros(n, dtype=torch.bool)
    caches = network.caches(n)
    for at in range(CONTEXT - 1):
        logits = network.read(tokens[:, at], at, caches)
        found = torch.multinomial((logits / temperature).softmax(-1), 1, generator=generator).squeeze(1)
        free = ~given[:, at + 1] & ~ended
        tokens[free, at + 1] = found[free]
        drawn[:, at + 1] = free
        ended |= free & (found == EOS)
        for i in torch.nonzero(free & (found == CLOSE)).flatten().tolist():
            text = decode(tokens[i, : at + 1].tolist(), SHAPE.alphabet)
            since = (
                int(torch.nonzero(given[i, : at + 1]).max()) + 1
            )  # the model's turn begins after what was given
            turn = decode(tokens[i, since : at + 1].tolist(), SHAPE.alphabet)
            if "[" not in turn and not (begin and since <= int(starts[i]) + len(begin)):
                continue
            said = value(text.rpartition("[")[2])
            called[i] += said != "?"
            bad[i] += said == "?"
            room = min(len(said), CONTEXT - at - 2)
            tokens[i, at + 2 : at + 2 + room] = torch.tensor(row(said)[1 : 1 + room])
            given[i, at + 2 : at + 2 + room] = True
        if ended.all():
            break
    return Traces(tokens, starts, drawn, called, bad, ended)
