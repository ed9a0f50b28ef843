"""What a sampler may ask of a language model.

A model maps whole contexts to logits. There are no handles and no cursors: an engine finds by itself what it
can reuse, so that a table can stand in for llama.cpp and every sampler can be proved on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from localpower.numerics import TokenDistribution, weigh, weigh_all

Tokens = tuple[int, ...]
LogitRow = NDArray[np.floating[Any]]


class Model(Protocol):
    """Logits for whole contexts. Implemented by `toy.ToyModel` and `engine.llama.LlamaModel`."""

    @property
    def n_vocab(self) -> int:
        """Length of a row of logits."""

    @property
    def eos(self) -> frozenset[int]:
        """Every token that ends an answer."""

    def logits(self, contexts: Sequence[Tokens]) -> Sequence[LogitRow]:
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


class Request(NamedTuple):
    """What one of several who share a model asks for: rows after contexts, weighed where a temperature is given.

    prompt_length: how many tokens of each context are its prompt; None: as of the run's own prompt.
    """

    contexts: list[Tokens]
    temperature: float | None = None
    prompt_length: int | None = None


def beside(model: Model, prompt: Tokens, pins: int = 1) -> Model:
    """The same model for contexts that begin with `prompt`, which is not the run's own.

    Engines read a prompt in other batches than an answer, so they must know where it ends. pins: 1 or 2, the number of
    the pin that this view has; the run's own is kept beside both.
    """
    own = getattr(model, "beside", None)
    if own is None:
        return model
    found: Model = own(prompt, pins)
    return found


def weighed(model: Model, contexts: Sequence[Tokens], temperature: float) -> Sequence[TokenDistribution]:
    """The rows after each context, weighed for a proposal; by the model itself where it does so for many at once."""
    for_many = getattr(model, "weighed", None)
    if for_many is not None:
        found: Sequence[TokenDistribution] = for_many(contexts, temperature)
        return found
    return [weigh(row, temperature) for row in model.logits(contexts)]


def serve(model: Model, requests: Sequence[Request]) -> list[Sequence[Any]]:
    """The replies to requests, from one call of the model."""
    contexts = [context for request in requests for context in request.contexts]
    temperatures = {request.temperature for request in requests}
    if len(temperatures) == 1 and (temperature := next(iter(temperatures))) is not None:
        rows: Sequence[Any] = weighed(model, contexts, temperature)
    else:
        each = [request.temperature for request in requests for _ in request.contexts]
        rows = weigh_all(model.logits(contexts), each)
    return split(rows, requests)


def split(rows: Sequence[Any], requests: Sequence[Request]) -> list[Sequence[Any]]:
    """Rows in the order of all contexts, by request."""
    replies, taken = [], 0
    for request in requests:
        replies.append(rows[taken : taken + len(request.contexts)])
        taken += len(request.contexts)
    return replies
