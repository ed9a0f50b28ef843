"""Draws traces of lab-tools in PyTorch, many at a time: what the model writes, and what the calculator answers.

`python scripts/lab/tools_sampling.py MODEL.gguf` prints the share of right answers to 128 held-out problems
of each level at T = 1, as the model begins and where it is made to begin with a call.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from network import CONTEXT, Network, decode, load
from tools_corpus import EOS, SHAPE, draw_product, row, value
from torch import Tensor

from localpower.lab.problems import LEVELS, verify

CLOSE = SHAPE.alphabet.index("]")
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


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    network = load(parser.parse_args().model, SHAPE)
    torch.set_num_threads(1)
    for begin in ("", "["):
        generator, shares = torch.Generator().manual_seed(1), []
        for level in LEVELS:
            rng = np.random.default_rng([1, level, 8])
            problems = [draw_product(level, rng, held_out=True) for _ in range(128)]
            texts = draw_traces(network, [p.prompt for p in problems], generator, begin=begin).texts()
            shares.append(np.mean([verify(p, text) for p, text in zip(problems, texts, strict=True)]))
        print(f"begun with {begin!r}: {' · '.join(f'{share:.2f}' for share in shares)}")


if __name__ == "__main__":
    main()
