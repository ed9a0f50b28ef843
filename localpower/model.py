"""What a sampler may ask of a language model.

A model maps whole contexts to logits. There are no handles and no cursors: an engine finds by itself what it
can reuse, so that a table can stand in for llama.cpp and every sampler can be proved on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Tokens = tuple[int, ...]
Row = NDArray[np.floating[Any]]


class Model(Protocol):
    """Logits for whole contexts. Implemented by `toy.ToyModel` and `engine.llama.LlamaModel`."""

    @property
    def n_vocab(self) -> int:
        """Length of a row of logits."""

    @property
    def eos(self) -> frozenset[int]:
        """Every token that ends an answer."""

    def logits(self, contexts: Sequence[Tokens]) -> Sequence[Row]:
        """The next-token logits (vocab,) after each non-empty context.

        Rows are views into the engine's buffer: valid until the next call, never to be written to.
        """

    def score(self, context: Tokens, continuation: Tokens) -> NDArray[np.float64]:
        """log p of each token of `continuation` after `context`, (len(continuation),), nats."""

    def cost(self, rows: int) -> float:
        """What a batch of so many more rows costs, over a batch of one: `rows` where width gains nothing."""

    def waste(self, rows: int) -> None:
        """So many rows were asked for and thrown away: for the record."""

    def pin(self, context: Tokens) -> None:
        """Hint that calls will come back to prefixes of `context`. Never changes a result."""
