"""Which cell each new token takes, so that the cells of every sequence ascend. Pure bookkeeping."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

from localpower.engine.slots import Grant, Residency, Slot

_AHEAD = 32  # cells reserved at a time: the search for dead cells is paid once in so many tokens


class CellsFull(Exception):
    """No cell above a sequence's last one is free or dead: the cache must be compacted."""


class Cells:
    """The slots while a plan is made, and the cells below `top`, all of them occupied."""

    def __init__(self, state: Residency, capacity: int) -> None:
        self.slots = list(state.slots)
        self._top = state.top
        self._changes = state.changes
        self._capacity = capacity

    def residency(self, tick: int) -> Residency:
        """The slots as they are now."""
        return Residency(tuple(self.slots), self._top, self._changes, tick)

    def take(self, index: int, n: int, keep: Callable[[], Collection[int]]) -> tuple[Grant, ...]:
        """n ascending cells for the next tokens of slot `index`, dead ones before new ones.

        keep(): slots whose cells are not dead. Raises CellsFull.
        """
        grants: list[Grant] = []
        while len(grants) < n:
            slot = self.slots[index]
            if not slot.reserve and slot.barren != self._changes:
                last = grants[-1].cell if grants else slot.cells[-1] if slot.cells else -1
                slot = self._refill(index, last, max(_AHEAD, n - len(grants)), keep())
            if slot.reserve:
                grants.append(slot.reserve[0])
                self.slots[index] = replace(slot, reserve=slot.reserve[1:])
            elif self._top < self._capacity:
                grants.append(Grant(self._top))
                self._top += 1
            else:
                raise CellsFull
        return tuple(grants)

    def _refill(self, index: int, last: int, n: int, keep: Collection[int]) -> Slot:
        """Set aside up to n dead cells above `last` for slot `index`."""
        dead = sorted(
            (grant for grant in self._dead(keep) if grant.cell > last), key=lambda grant: grant.cell
        )[:n]
        taken = set(dead)
        for i, slot in enumerate(self.slots):
            if i in keep:
                continue
            given_up = [g.position for g in dead if g.holder == i and g.position < len(slot.tokens)]
            stays = min(given_up, default=len(slot.tokens))
            buried = tuple(
                Grant(cell, i, position)
                for position, cell in enumerate(slot.cells[stays:], stays)
                if Grant(cell, i, position) not in taken
            )
            self.slots[i] = replace(
                slot,
                tokens=slot.tokens[:stays],
                cells=slot.cells[:stays],
                ghosts=tuple(g for g in slot.ghosts if g not in taken) + buried,
                reserve=tuple(g for g in slot.reserve if g not in taken),
            )
        barren = -1 if dead else self._changes
        self.slots[index] = replace(self.slots[index], reserve=tuple(dead), barren=barren)
        return self.slots[index]

    def _dead(self, keep: Collection[int]) -> Iterator[Grant]:
        """Cells that only slots outside `keep` occupy: unshared ones, ghosts, and reserves not needed."""
        shared = Counter(cell for slot in self.slots for cell in slot.cells)
        for i, slot in enumerate(self.slots):
            if i in keep:
                continue
            yield from slot.ghosts
            yield from slot.reserve
            for position, cell in enumerate(slot.cells):
                if shared[cell] == 1:
                    yield Grant(cell, i, position)

    def can_wipe(self, index: int) -> bool:
        """Whether emptying a slot leaves no hole: its own cells are none, or the topmost ones."""
        if any(grant.holder == index for slot in self.slots for grant in slot.reserve):
            return False
        own = self._own(index)
        return not own or len(own) == self._top - min(own)

    def wipe(self, index: int) -> None:
        """Empty a slot that `can_wipe`; what it had reserved goes back to the ghosts of its holders."""
        slot = self.slots[index]
        self._top -= len(self._own(index))
        self._changes += 1
        self.slots[index] = Slot()
        for grant in slot.reserve:
            holder = self.slots[grant.holder]
            self.slots[grant.holder] = replace(holder, ghosts=(*holder.ghosts, grant))

    def _own(self, index: int) -> list[int]:
        """Cells that no other slot shares, ghosts included."""
        others = {cell for i, other in enumerate(self.slots) if i != index for cell in other.cells}
        slot = self.slots[index]
        return [c for c in slot.cells if c not in others] + [ghost.cell for ghost in slot.ghosts]
