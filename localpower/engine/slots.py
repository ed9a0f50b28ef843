"""The cache as values: what each sequence slot holds, and the moves that change it. Pure; no C code.

Two facts of llama.cpp's unified cache shape this file:

* Copying a prefix to another slot shares its cells (metadata only). Slots are plentiful, cells run out.
* Attention sums over cells in the order of their *numbers*. A token put into a hole below its own prefix
  changes the order of the sum and so the bits of every later log-probability (seen: 0.06 nats). So a sequence's
  cells must ascend. llama.cpp fills the lowest free cell first; by keeping dead cells occupied ("ghosts") and
  releasing each one only for the token that is to take it, the planner decides where every token goes.
"""

from __future__ import annotations

from dataclasses import dataclass

from localpower.model import Tokens


@dataclass(frozen=True, slots=True)
class Grant:
    """A cell for one token. If a slot still occupies it, that slot and the position to release there."""

    cell: int
    holder: int = -1
    position: int = -1


@dataclass(frozen=True, slots=True)
class Slot:
    """One sequence of the cache.

    tokens, cells: what it holds, cells ascending. ghosts: cells it occupies beyond `tokens`, given up but
    not yet released. reserve: cells set aside for its next tokens, ascending. barren: the `changes` of the
    cache at which a search for dead cells found none for this slot. used: tick of last use.
    """

    tokens: Tokens = ()
    cells: tuple[int, ...] = ()
    ghosts: tuple[Grant, ...] = ()
    reserve: tuple[Grant, ...] = ()
    barren: int = -1
    used: int = 0


@dataclass(frozen=True, slots=True)
class Residency:
    """What the cache holds. All cells from `top` on are free; every cell below is occupied.

    changes: how often a slot was emptied; only then can new cells have died.
    """

    slots: tuple[Slot, ...]
    top: int = 0
    changes: int = 0
    tick: int = 0


@dataclass(frozen=True, slots=True)
class Copy:
    """Wipe `target`, then make it hold the first `upto` tokens of `source`."""

    source: int
    target: int
    upto: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A slot that survives compaction: its first `upto` tokens, of which it shares `shared` with `parent`."""

    slot: int
    upto: int
    parent: int
    shared: int


@dataclass(frozen=True, slots=True)
class Compact:
    """Save what is kept, empty the cache, put it back from cell 0 on in this order. Nothing is evaluated."""

    kept: tuple[Kept, ...]


@dataclass(frozen=True, slots=True)
class Decode:
    """Append `tokens` to `slot` from position `start`, each into its granted cell.

    The logits after the last token are wanted.
    """

    slot: int
    start: int
    tokens: Tokens
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Moves first, in order, then all decodes. rows[i]: the decode that answers the i-th context."""

    moves: tuple[Copy | Compact, ...]
    decodes: tuple[Decode, ...]
    rows: tuple[int, ...]
    after: Residency


def empty(n_slots: int) -> Residency:
    """A cache with nothing in it."""
    return Residency(tuple(Slot() for _ in range(n_slots)))


def common_prefix(a: Tokens, b: Tokens) -> int:
    """Length of the longest common prefix, by bisection on slices (compared at C speed)."""
    low, high = 0, min(len(a), len(b))
    if a[:high] == b[:high]:
        return high
    while low < high - 1:
        middle = (low + high) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle
    return low
