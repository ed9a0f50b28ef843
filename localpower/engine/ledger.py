"""Which slot holds which tokens in which cells, while plans are made. Pure bookkeeping in numpy; no C code.

Every cell below `top` is occupied by some slot, every other is free. A slot's valid tokens come first; positions
beyond them that it still occupies are ghosts, kept only so that no hole opens below the top.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from localpower.engine.slots import Compact, Grant, Kept
from localpower.model import Tokens, common_prefix


class CellsFull(Exception):
    """No cell above a sequence's last one is free or dead, or no slot can be emptied: compact the cache."""


class Ledger:
    """tokens[slot]: what a slot validly holds. used[slot]: when it was last used. top: the first free cell.

    losses[slot]: how often tokens were taken from a slot, which makes what is known of it stale.
    """

    def __init__(self, n_slots: int, capacity: int) -> None:
        self.tokens: list[Tokens] = [()] * n_slots
        self.used = [0] * n_slots
        self.losses = [0] * n_slots
        self.top = 0
        self._capacity = capacity
        self._text = np.zeros((n_slots, capacity), np.int32)
        self._cells = np.zeros((n_slots, capacity), np.int32)  # of valid tokens, ascending
        self._held = np.zeros((n_slots, capacity), np.bool_)  # by slot and cell, ghosts included
        self._refs = np.zeros(capacity, np.int32)  # how many slots hold a cell
        self._position = np.zeros(capacity, np.int32)  # of the token in a cell
        self._n_held = [0] * n_slots

    def cells(self, slot: int) -> NDArray[np.int32]:
        """The cells of a slot's valid tokens, (len(tokens),)."""
        return self._cells[slot, : len(self.tokens[slot])]

    def is_open(self, slot: int) -> bool:
        """Whether a slot can be appended to: llama.cpp wants a new position to follow the last one it holds."""
        return self._n_held[slot] == len(self.tokens[slot])

    def shared(self, context: Tokens) -> NDArray[np.int64]:
        """How many first tokens of `context` each slot holds, (slots,)."""
        n = min(len(context), self._capacity)
        equal = self._text[:, :n] == np.array(context[:n], np.int32)
        first = np.where(equal.all(1), n, equal.argmin(1)) if n else np.zeros(len(self.tokens), np.int64)
        return np.minimum(first, [len(tokens) for tokens in self.tokens])

    def wipeable(self, slots: Sequence[int]) -> list[int]:
        """Those of `slots` that can be emptied without leaving a hole: what is theirs alone is nothing, or topmost."""
        own = self._held[slots, : self.top] & (self._refs[: self.top] == 1)
        counts = own.sum(1)
        return [
            slot
            for slot, row, n in zip(slots, own, counts, strict=True)
            if not n or row[self.top - n :].all()
        ]

    def copy(self, source: int, target: int, upto: int) -> None:
        """Empty `target`, which must be wipeable, and let it share the first `upto` tokens of `source`."""
        held = self._held[target, : self.top]
        self.top -= int((held & (self._refs[: self.top] == 1)).sum())
        self._refs[: len(held)] -= held
        held[:] = False
        cells = self._cells[source, :upto]
        self._cells[target, :upto] = cells
        self._text[target, :upto] = self._text[source, :upto]
        self._held[target, cells] = True
        self._refs[cells] += 1
        self.tokens[target] = self.tokens[source][:upto]
        self.losses[target] += 1
        self._n_held[target] = upto

    def grant(
        self,
        orders: Sequence[tuple[int, Tokens]],
        keep: Collection[int],
        wholes: Mapping[int, Tokens] = MappingProxyType({}),
    ) -> list[tuple[Grant, ...]]:
        """Cells for the tokens that each (slot, tokens) appends, in this order; dead cells before new ones.

        keep: slots whose valid tokens must stay; cells that none of them needs are dead. wholes: by slot, what it holds
        at the end, where that is at hand: a long text is not written again. Raises CellsFull, and then nothing has
        changed.
        """
        dead, top = self._dead(keep), self.top
        taken: set[int] = set()  # indices into `dead`
        last = {
            slot: int(self._cells[slot, n - 1]) if (n := len(self.tokens[slot])) else -1 for slot, _ in orders
        }
        granted = []
        for slot, tokens in orders:
            cells = []
            for _ in tokens:
                i = int(dead.searchsorted(last[slot], "right"))
                while i in taken:
                    i += 1
                if i < len(dead):
                    taken.add(i)
                    cells.append(int(dead[i]))
                else:
                    if top == self._capacity:
                        raise CellsFull
                    cells.append(top)
                    top += 1
                last[slot] = cells[-1]
            granted.append(cells)
        old, self.top = self.top, top
        return [
            self._append(slot, tokens, cells, old, wholes.get(slot, ()))
            for (slot, tokens), cells in zip(orders, granted, strict=True)
        ]

    def _dead(self, keep: Collection[int]) -> NDArray[np.int64]:
        if any(len(self.tokens[slot]) == self.top for slot in keep):  # a lone answer: all cells are its own
            return np.empty(0, np.int64)
        mask = np.ones(self.top, np.bool_)
        for slot in keep:
            mask[self.cells(slot)] = False
        return np.flatnonzero(mask)

    def _append(
        self, slot: int, tokens: Tokens, cells: list[int], old_top: int, whole: Tokens
    ) -> tuple[Grant, ...]:
        start = len(self.tokens[slot])
        grants = []
        for position, cell in enumerate(cells, start):
            grants.append(Grant(cell, self._release(cell)) if cell < old_top else Grant(cell))
            self._position[cell] = position
        stop = start + len(tokens)
        if tokens:
            self.tokens[slot] = whole if len(whole) == stop else self.tokens[slot][:] + tokens
        self._n_held[slot] = stop
        self._text[slot, start:stop] = tokens
        self._cells[slot, start:stop] = cells
        self._held[slot, cells] = True
        self._refs[cells] = 1
        return tuple(grants)

    def _release(self, cell: int) -> tuple[tuple[int, int], ...]:
        """Take a dead cell from all who hold it; what they held beyond it becomes ghosts."""
        position = int(self._position[cell])
        holders: list[int] = np.flatnonzero(self._held[:, cell]).tolist()
        for holder in holders:
            self._held[holder, cell] = False
            self._n_held[holder] -= 1
            self.tokens[holder] = self.tokens[holder][:position]
            self.losses[holder] += 1
        return tuple((holder, position) for holder in holders)

    def compact(self, needed: Sequence[Tokens]) -> tuple[Compact, Ledger]:
        """Move what is still needed to the bottom: the longest resident prefix of every context in `needed`.

        A kept slot shares the cells of an earlier one as far as their tokens agree; its other tokens follow above,
        so the cells of every slot ascend. What is a prefix of another needs no slot.
        """
        lengths: dict[int, int] = {}
        for context in needed:
            shared = self.shared(context)
            best = int(shared.argmax())
            lengths[best] = max(lengths.get(best, 0), int(shared[best]))
        old = self.tokens
        kept: list[Kept] = []
        fresh = Ledger(len(old), self._capacity)
        for index, length in sorted(lengths.items(), key=lambda item: -item[1]):
            tokens = old[index][:length]
            parent, shared_with = index, 0
            for earlier in kept:
                n = common_prefix(fresh.tokens[earlier.slot], tokens)
                if n > shared_with:
                    parent, shared_with = earlier.slot, n
            if shared_with == length:
                continue  # nothing of its own (or nothing at all)
            if shared_with:
                fresh.copy(parent, index, shared_with)
            fresh.grant([(index, tokens[shared_with:])], [*(keep.slot for keep in kept), index])
            kept.append(Kept(index, length, parent, shared_with))
        fresh.used = self.used
        return Compact(tuple(kept)), fresh

    def adopt(self, tokens: Tokens) -> None:
        """Slot 0 of an empty ledger holds these in the lowest cells."""
        self.grant([(0, tokens)], ())
