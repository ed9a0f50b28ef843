"""Moves on the cache: what a plan consists of. Values only; no C code.

Two facts of llama.cpp's unified cache shape the plans:

* Copying a prefix to another slot shares its cells (metadata only). Slots are plentiful, cells run out.
* Attention sums over cells in the order of their *numbers*. A token put into a hole below its own prefix
  changes the order of the sum and so the bits of every later log-probability (seen: 0.06 nats). So a sequence's
  cells must ascend. llama.cpp fills the lowest free cell first; by keeping dead cells occupied and releasing each
  one only for the token that is to take it, the planner decides where every token goes.
"""

from __future__ import annotations

from dataclasses import dataclass

from localpower.model import Tokens


@dataclass(frozen=True, slots=True)
class Grant:
    """A cell for one token, and who still occupies it: (slot, position) pairs to release first."""

    cell: int
    release: tuple[tuple[int, int], ...] = ()


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

    wanted: ascending indices of tokens after which the logits are wanted; the last token is always one.
    """

    slot: int
    start: int
    tokens: Tokens
    grants: tuple[Grant, ...]
    wanted: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Moves first, in order, then all decodes. rows[i]: which output, counted over all decodes, answers context i.

    partial: a step on the way; what was wanted must be planned again.
    """

    moves: tuple[Copy | Compact, ...]
    decodes: tuple[Decode, ...]
    rows: tuple[int, ...]
    partial: bool = False
