"""From what is resident and what is wanted to a plan: compact, copy, decode. Pure (tests/engine/test_planner.py)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from localpower.engine.cells import Cells, CellsFull
from localpower.engine.compaction import compact
from localpower.engine.slots import Compact, Copy, Decode, Grant, Plan, Residency, Slot, common_prefix
from localpower.errors import EngineError
from localpower.model import Tokens


def plan(state: Residency, wanted: Sequence[Tokens], pins: Collection[Tokens], capacity: int) -> Plan:
    """Serve every wanted context (non-empty) from `state` within `capacity` cells.

    pins: contexts whose prefixes will be asked for again; their cells are not taken. Where dead cells cannot
    be reused in order and none is left above, the cache is compacted: no resident token that is wanted or pinned
    is ever evaluated twice. Raises EngineError when that does not fit either, or there are fewer than two slots a
    context.
    """
    distinct = list(dict.fromkeys(wanted))
    if 2 * len(distinct) > len(state.slots):
        raise EngineError(f"{len(distinct)} contexts need {2 * len(distinct)} slots, not {len(state.slots)}")
    try:
        moves, decodes, after = _Planner(state, pins, capacity).run(distinct)
    except CellsFull:
        first, state = compact(state, [*(context[:-1] for context in distinct), *pins])
        try:
            moves, decodes, after = _Planner(state, pins, capacity).run(distinct)
        except CellsFull:
            longest = max(len(context) for context in distinct)
            raise EngineError(
                f"{len(distinct)} contexts of up to {longest} tokens do not fit {capacity} cells"
            ) from None
        moves = (first, *moves)
    index = {context: i for i, context in enumerate(distinct)}
    return Plan(moves, decodes, tuple(index[context] for context in wanted), after)


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a context's prefix is resident. in_place: it can be appended to as it is."""

    slot: int
    upto: int
    in_place: bool


class _Planner:
    """One attempt at a plan."""

    def __init__(self, state: Residency, pins: Collection[Tokens], capacity: int) -> None:
        self._cells = Cells(state, capacity)
        self._pins = pins
        self._tick = state.tick + 1
        self._moves: list[Copy | Compact] = []
        self._claimed: set[int] = set()
        self._holders: set[int] | None = None

    @property
    def _slots(self) -> list[Slot]:
        return self._cells.slots

    def run(
        self, contexts: Sequence[Tokens]
    ) -> tuple[tuple[Copy | Compact, ...], tuple[Decode, ...], Residency]:
        """Moves, decodes in the order of `contexts`, and what they leave behind. Raises CellsFull."""
        sources = [self._find_source(context) for context in contexts]
        targets = self._place(sources)
        # Cells are granted in the order of decoding: first all bodies, then the tokens whose logits are wanted.
        bodies = [
            self._append(target, context[source.upto : -1])
            for context, source, target in zip(contexts, sources, targets, strict=True)
        ]
        decodes = [
            Decode(target, source.upto, context[source.upto :], body + self._append(target, context[-1:]))
            for context, source, target, body in zip(contexts, sources, targets, bodies, strict=True)
        ]
        return tuple(self._moves), tuple(decodes), self._cells.residency(self._tick)

    def _append(self, target: int, tokens: Tokens) -> tuple[Grant, ...]:
        """Give cells to the next tokens of a slot."""
        grants = self._cells.take(target, len(tokens), self._keep)
        slot = self._slots[target]
        self._slots[target] = replace(
            slot,
            tokens=slot.tokens + tokens,
            cells=slot.cells + tuple(grant.cell for grant in grants),
            used=self._tick,
        )
        return grants

    def _find_source(self, context: Tokens) -> _Source:
        """The slot that shares the longest prefix with `context`, short of its last token."""
        parent = context[:-1]
        for i, slot in enumerate(self._slots):  # the common case: one token more than a resident context
            if len(slot.tokens) == len(parent) and self._open(i) and slot.tokens == parent:
                self._claimed.add(i)
                return _Source(i, len(parent), in_place=True)
        shared = [min(common_prefix(slot.tokens, context), len(parent)) for slot in self._slots]
        best = max(shared)
        ties = [i for i, length in enumerate(shared) if length == best]
        for i in ties:
            if len(self._slots[i].tokens) == best and self._open(i):
                self._claimed.add(i)
                return _Source(i, best, in_place=True)
        return _Source(ties[0], best, in_place=False)

    def _open(self, index: int) -> bool:
        """Whether a slot can be appended to: nobody else does, and nothing dead lies beyond its tokens."""
        return (
            index not in self._claimed
            and not self._slots[index].ghosts
            and not any(grant.holder == index for slot in self._slots for grant in slot.reserve)
        )

    def _place(self, sources: Sequence[_Source]) -> list[int]:
        """A slot for every context; copies are noted in an order in which no source is wiped too early."""
        reading = {source.slot for source in sources}
        targets = []
        for source in sources:
            target = source.slot
            if not source.in_place:
                target = self._victim(reading)
                held = self._slots[source.slot]
                self._cells.wipe(target)  # cells may be dead from now on
                self._moves.append(Copy(source.slot, target, source.upto))
                self._slots[target] = Slot(
                    held.tokens[: source.upto], held.cells[: source.upto], used=self._tick
                )
            self._slots[source.slot] = replace(self._slots[source.slot], used=self._tick)
            targets.append(target)
        return targets

    def _victim(self, reading: Collection[int]) -> int:
        """The least recently used slot that can be emptied without leaving a hole."""
        keep = self._keep() | set(reading)
        idle = [i for i in range(len(self._slots)) if i not in keep and self._cells.can_wipe(i)]
        if not idle:
            raise CellsFull
        victim = min(idle, key=lambda i: self._slots[i].used)
        self._claimed.add(victim)
        return victim

    def _keep(self) -> set[int]:
        """Slots that are being written or hold a pinned context: for each pin the longest shared prefix."""
        if self._holders is None:
            self._holders = set()
            for pin in self._pins:
                shared = [common_prefix(slot.tokens, pin) for slot in self._slots]
                if max(shared) > 0:
                    self._holders.add(shared.index(max(shared)))
        return self._holders | self._claimed
