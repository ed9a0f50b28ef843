"""Which sequence serves which context, when every sequence has a stream of keys and values to itself. Pure.

The sequences that a batch decodes must be numbered 0, 1, 2, ... without a gap: llama.cpp evaluates only neighbours
together. So the first sequences work, and what must outlast them (pinned contexts) is copied behind them.

Tokens of a prompt are read many at a time, all others one at a time; the two leave other bits behind. What was
evaluated in the one way never serves for the other, so that a row depends on prompt and answer and on nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from localpower.model import Tokens, begins_with, common_prefix, distinct

NEARLY = 2  # tokens that are rather evaluated again than a stream copied for them


@dataclass(frozen=True, slots=True)
class Held:
    """What a sequence holds. read: how many of its tokens, from the first on, were read as a prompt's."""

    tokens: Tokens = ()
    read: int = 0
    used: int = 0


@dataclass(frozen=True, slots=True)
class Demand:
    """A context, non-empty. opening: how many of its tokens are read together; never 1, a single row is no batch."""

    context: Tokens
    opening: int = 0


@dataclass(frozen=True, slots=True)
class Placement:
    """First the copies (source, target) of whole streams, in order; then context i goes on from lengths[i] in sequence
    sequences[i], which is cut to that length."""

    copies: tuple[tuple[int, int], ...]
    sequences: tuple[int, ...]
    lengths: tuple[int, ...]


def opening_of(context: Tokens, prompt_length: int) -> int:
    """How many tokens of a context are read together: those of its prompt but the last, whose row is drawn from."""
    opening = min(prompt_length, len(context)) - 1
    return opening if opening >= 2 else 0


def numbered(wanted: Sequence[Demand]) -> tuple[list[Demand], list[int]]:
    """The different ones of these, and which of them each is.

    The same context may be wanted with two openings.
    """
    _, contexts = distinct([each.context for each in wanted])
    keys = [(i, each.opening) for i, each in zip(contexts, wanted, strict=True)]
    places = {key: n for n, key in enumerate(dict.fromkeys(keys))}
    return [wanted[keys.index(key)] for key in places], [places[key] for key in keys]


def reusable(held: Held, wanted: Demand) -> int:
    """How many tokens of a context, short of its last, a sequence has evaluated in the right way."""
    shared = min(common_prefix(held.tokens, wanted.context), len(wanted.context) - 1)
    if held.read != wanted.opening:
        shared = min(shared, held.read, wanted.opening)
    return shared - 1 if shared == wanted.opening - 1 else max(shared, 0)  # never one token of a prompt alone


def continues(held: Sequence[Held], wanted: Sequence[Demand]) -> list[bool]:
    """Whether the sequence of the same number lacks nothing of each context but its last token."""
    return [
        len(h.tokens) == len(w.context) - 1 and h.read == w.opening and begins_with(w.context, h.tokens)
        for h, w in zip(held, wanted, strict=False)
    ]


def place(held: Sequence[Held], wanted: Sequence[Demand], pins: Sequence[Demand]) -> Placement:
    """Sequences 0..len(wanted)-1 for these distinct contexts. pins: what later contexts will begin with, dearest first.

    Where no sequence holds the whole opening of a context, the length that it goes on from lies inside it.
    """
    n = len(wanted)
    steady = continues(held, wanted)
    targets = [i if same else -1 for i, same in enumerate(steady)]
    lengths = [len(w.context) - 1 for w in wanted]
    if all(steady):
        return Placement((), tuple(targets), tuple(lengths))
    sources = [-1] * n
    taken = {i for i in range(n) if steady[i]}
    new = [i for i in range(n) if not steady[i]]
    gains = {i: [reusable(h, wanted[i]) for h in held] for i in new}
    for i in sorted(new, key=lambda i: -max(gains[i])):  # in place, where next to nothing is lost by it
        best = max(gains[i])
        least = max(best - NEARLY if best > NEARLY else best, min(best, wanted[i].opening))
        inside = [s for s in range(n) if s not in taken and gains[i][s] >= least]
        if inside:
            targets[i] = max(inside, key=lambda s: (gains[i][s], s == i, -held[s].used))
            lengths[i] = gains[i][targets[i]]
            taken.add(targets[i])
    for i in new:
        if targets[i] < 0:
            targets[i] = min((s for s in range(n) if s not in taken), key=lambda s: held[s].used)
            sources[i] = max(range(len(held)), key=gains[i].__getitem__)
            lengths[i] = gains[i][sources[i]]
            taken.add(targets[i])
    copies = _rescues(held, pins, targets, sources, lengths)
    copies += [(source, target) for source, target in zip(sources, targets, strict=True) if source >= 0]
    return Placement(tuple(copies), tuple(targets), tuple(lengths))


def _rescues(
    held: Sequence[Held],
    pins: Sequence[Demand],
    targets: Sequence[int],
    sources: Sequence[int],
    lengths: Sequence[int],
) -> list[tuple[int, int]]:
    """Copies to sequences that do not work, of what is pinned and would be cut or overwritten."""
    n = len(targets)
    stays = {
        target: length for target, source, length in zip(targets, sources, lengths, strict=True) if source < 0
    }
    keep = {source for source in sources if source >= n}
    copies: list[tuple[int, int]] = []
    for pin in pins:
        gains = [0 if s in (t for _, t in copies) else reusable(h, pin) for s, h in enumerate(held)]
        best = max(gains)
        if best <= NEARLY:
            continue
        safe = [s for s, gain in enumerate(gains) if gain == best and (s >= n or stays.get(s, 0) >= best)]
        idle = [s for s in range(n, len(held)) if s not in keep]
        if safe:
            keep.add(safe[-1])
        elif idle:  # else it will be evaluated again
            target = min(idle, key=lambda s: held[s].used)
            keep.add(target)
            copies.append((gains.index(best), target))
    return copies
