"""When cells run out: move what is still needed to the bottom of the cache. Nothing is evaluated again. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from localpower.engine.slots import Compact, Kept, Residency, Slot, common_prefix
from localpower.model import Tokens


def compact(state: Residency, needed: Iterable[Tokens]) -> tuple[Compact, Residency]:
    """Keep the longest resident prefix of every context in `needed` and drop the rest.

    A kept slot shares the cells of an earlier one as far as their tokens agree; its other tokens follow above, so
    the cells of every slot ascend.
    """
    lengths: dict[int, int] = {}
    for context in needed:
        shared = [common_prefix(slot.tokens, context) for slot in state.slots]
        best = shared.index(max(shared))
        lengths[best] = max(lengths.get(best, 0), shared[best])
    kept: list[Kept] = []
    slots = [Slot()] * len(state.slots)
    top = 0
    # Longest first: what is a prefix of another needs no slot.
    for index, length in sorted(lengths.items(), key=lambda item: -item[1]):
        tokens = state.slots[index].tokens[:length]
        parent, shared_with = index, 0
        for earlier in kept:
            n = common_prefix(slots[earlier.slot].tokens, tokens)
            if n > shared_with:
                parent, shared_with = earlier.slot, n
        if shared_with == length:
            continue  # nothing of its own (or nothing at all)
        cells = slots[parent].cells[:shared_with] + tuple(range(top, top + length - shared_with))
        top += length - shared_with
        slots[index] = Slot(tokens, cells, used=state.slots[index].used)
        kept.append(Kept(index, length, parent, shared_with))
    return Compact(tuple(kept)), Residency(tuple(slots), top, state.changes + 1, state.tick)
