"""What a sampler may ask of a language model.

A model maps whole contexts to logits. There are no handles and no cursors: an engine finds by itself what it
can reuse, so that a table can stand in for llama.cpp and every sampler can be proved on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from localpower.numerics import TokenDistribution, weigh, weigh_all

Tokens = tuple[int, ...]
LogitRow = NDArray[np.floating[Any]]
_END = 8  # tokens by which contexts are told apart


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


class Growing(Sequence[int]):
    """Tokens of a list that is only ever appended to: a long context, not copied for each token of it.

    It is equal to the tuple of the same tokens, has its hash, and slices of it are tuples.
    """

    __slots__ = ("_first", "_length", "_text")

    def __init__(self, text: list[int], first: int = 0, stop: int | None = None) -> None:
        """Those from `first` up to `stop`; None: to what is the end now."""
        self._text, self._first = text, first
        self._length = (len(text) if stop is None else stop) - first

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, slice):
            return self._text[self._first + range(self._length)[index]]
        start, stop, step = index.indices(self._length)
        if step == 1:
            return tuple(self._text[self._first + start : self._first + stop])
        return tuple(self._text[self._first : self._first + self._length][index])

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Growing) and other._text is self._text and other._first == self._first:
            return other._length == self._length
        return bool(self[:] == (other[:] if isinstance(other, Growing) else other))

    def __hash__(self) -> int:
        return hash(self[:])

    def __add__(self, more: Tokens) -> Tokens:
        return tuple(self[:]) + more

    def head(self, length: int) -> Growing:
        """The first of them, not copied either."""
        return Growing(self._text, self._first, self._first + length)

    def begins(self, other: Growing) -> bool:
        """Whether another is known to begin with this, for both are of one text."""
        return other._text is self._text and other._first == self._first and self._length <= other._length


def context_of(reader: object, text: list[int], first: int = 0) -> Tokens:
    """A text that only grows, from `first` on: without a copy, where the reader says that it takes such (`grows`)."""
    return cast("Tokens", Growing(text, first)) if getattr(reader, "grows", False) else tuple(text[first:])


def head_of(context: Tokens, length: int) -> Tokens:
    """The first tokens of a context, without a copy of one that grows."""
    return cast("Tokens", context.head(length)) if isinstance(context, Growing) else context[:length]


def begins_with(context: Tokens, start: Tokens) -> bool:
    """Whether a context begins with these tokens."""
    if isinstance(start, Growing) and isinstance(context, Growing) and start.begins(context):
        return True
    return bool(context[: len(start)] == start)


def distinct(contexts: Sequence[Tokens]) -> tuple[list[Tokens], list[int]]:
    """The different ones of these, in order, and which of them each is.

    Told apart by length and end first: to hash a long context takes as long as to draw a token.
    """
    found: list[Tokens] = []
    which: list[int] = []
    alike: dict[tuple[int, Tokens], list[int]] = {}
    for context in contexts:
        places = alike.setdefault((len(context), context[-_END:]), [])
        same = next((i for i in places if found[i] == context), None)
        if same is None:
            same = len(found)
            places.append(same)
            found.append(context)
        which.append(same)
    return found, which


def common_prefix(a: Tokens, b: Tokens) -> int:
    """Length of the longest common prefix, by bisection on slices (compared at C speed)."""
    low, high = 0, min(len(a), len(b))
    if begins_with(*((a, b) if len(a) >= len(b) else (b, a))):
        return high
    while low < high - 1:
        middle = (low + high) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle
    return low


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
