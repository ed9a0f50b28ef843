"""From what is resident and what is wanted to a plan: compact, copy, decode (tests/engine/test_planner.py). Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from localpower.engine.ledger import CellsFull, Ledger
from localpower.engine.slots import Compact, Copy, Decode, Plan
from localpower.errors import EngineError
from localpower.model import Tokens, begins_with, distinct

_ANY = 1 << 60
AGAIN = 8  # resident tokens that are rather decoded again than given a slot of their own


@dataclass(slots=True)
class _Leaf:
    """A context that will be decoded, with those that are met on its way: `wanted` are their lengths.

    numbers: which of the contexts of the plan each of them is.
    source, upto: the slot that holds the longest prefix short of the first wanted token. target: where it is decoded.
    """

    context: Tokens
    wanted: list[int]
    numbers: list[int]
    source: int = -1
    upto: int = 0
    target: int = -1


class _Holder(NamedTuple):
    """A pin, and the slot that holds its first n tokens. losses: of that slot when it was last looked at."""

    pin: Tokens
    slot: int
    n: int
    losses: int


@dataclass(slots=True)
class Planner:
    """Keeps the ledger of a cache. A plan that was made must be executed, or the cache emptied and `reset` called."""

    n_slots: int
    capacity: int
    again: int = AGAIN  # 0 where decoding again would change bits
    ledger: Ledger = field(init=False)
    _tick: int = 0
    _holders: dict[int, _Holder] = field(default_factory=dict)  # by the identity of the pin

    def __post_init__(self) -> None:
        """Begin with nothing."""
        self.ledger = Ledger(self.n_slots, self.capacity)

    def reset(self) -> None:
        """The cache has been emptied."""
        self.ledger = Ledger(self.n_slots, self.capacity)
        self._holders.clear()

    def plan(self, wanted: Sequence[Tokens], pins: Collection[Tokens] = (), most: int = _ANY) -> Plan:
        """Serve every wanted context (non-empty) within `capacity` cells.

        Where more than `most` tokens are missing, the plan is a piece: it only brings the one that misses most nearer.
        A context that continues another wanted one is decoded together with it. pins: contexts whose prefixes will
        be asked for again; their cells are not taken. Where dead cells cannot be reused in order and none is left
        above, the cache is compacted: no resident token that is wanted or pinned is ever evaluated twice. Raises
        EngineError when that does not fit either, or there are fewer than two slots for each that is decoded.
        """
        self._tick += 1
        moves: list[Copy | Compact] = []
        try:
            return self._attempt(wanted, pins, most, moves)
        except CellsFull:
            move, self.ledger = self.ledger.compact([*(context[:-1] for context in wanted), *pins])
            moves.append(move)
            self._holders.clear()
        try:
            return self._attempt(wanted, pins, most, moves)
        except CellsFull:
            longest = max(len(context) for context in wanted)
            raise EngineError(
                f"{len(set(wanted))} contexts of up to {longest} tokens do not fit {self.capacity} cells"
            ) from None

    def _attempt(
        self, wanted: Sequence[Tokens], pins: Collection[Tokens], most: int, moves: list[Copy | Compact]
    ) -> Plan:
        """Copies go to `moves` at once: they hold even where cells run out afterwards."""
        contexts, which = distinct(wanted)
        claimed: set[int] = set()
        leaves = self._leaves(contexts, claimed)
        if 2 * len(leaves) > self.n_slots:
            raise EngineError(f"{len(leaves)} contexts need {2 * len(leaves)} slots, not {self.n_slots}")
        if sum(len(leaf.context) - leaf.upto for leaf in leaves) > most:
            longest = max(leaves, key=lambda leaf: leaf.wanted[0] - leaf.upto)
            if longest.wanted[0] - 1 > longest.upto:
                stop = longest.upto + min(longest.wanted[0] - 1 - longest.upto, most)
                part = self._attempt([longest.context[:stop]], [*pins, *contexts], _ANY, moves)
                return replace(part, partial=True)
        decodes = self._serve(leaves, claimed, pins, moves)
        outputs = {number: i for i, number in enumerate(n for leaf in leaves for n in leaf.numbers)}
        return Plan(tuple(moves), tuple(decodes), tuple(outputs[number] for number in which))

    def _serve(
        self,
        leaves: Sequence[_Leaf],
        claimed: set[int],
        pins: Collection[Tokens],
        moves: list[Copy | Compact],
    ) -> list[Decode]:
        """A slot and cells for every leaf."""
        keep = {slot for pin in pins if (slot := self._holder(pin)) >= 0}
        reading = {leaf.source for leaf in leaves}
        for leaf in leaves:
            if leaf.target < 0:
                leaf.target = self._victim(keep | claimed | reading)
                claimed.add(leaf.target)
                self.ledger.copy(leaf.source, leaf.target, leaf.upto)
                moves.append(Copy(leaf.source, leaf.target, leaf.upto))
            self.ledger.used[leaf.source] = self.ledger.used[leaf.target] = self._tick
        for leaf in leaves:  # whoever pinned this context has a better holder now
            if leaf.upto < len(leaf.context) - 1:
                self._holders.clear()
            for key, held in list(self._holders.items()):
                if len(held.pin) == len(leaf.context) and held.pin == leaf.context:
                    del self._holders[key]
        # Cells are granted in the order of decoding: first what comes before the first wanted token, then the rest.
        bodies = [(leaf.target, leaf.context[leaf.upto : leaf.wanted[0] - 1]) for leaf in leaves]
        tails = [(leaf.target, leaf.context[leaf.wanted[0] - 1 :]) for leaf in leaves]
        wholes = {leaf.target: leaf.context for leaf in leaves}
        grants = self.ledger.grant(bodies + tails, keep | claimed, wholes)
        return [
            Decode(
                leaf.target,
                leaf.upto,
                leaf.context[leaf.upto :],
                grants[i] + grants[len(leaves) + i],
                tuple(length - 1 - leaf.upto for length in leaf.wanted),
            )
            for i, leaf in enumerate(leaves)
        ]

    def _leaves(self, contexts: Sequence[Tokens], claimed: set[int]) -> list[_Leaf]:
        """Contexts with their sources; one that another begins with joins it, unless too much is resident beyond."""
        leaves: list[_Leaf] = []
        following: _Leaf | None = None
        # Sorted backwards, a context comes right after those that it begins.
        ordered: Sequence[int] = range(len(contexts))
        if len(contexts) > 1:
            ordered = sorted(ordered, key=lambda i: contexts[i][:], reverse=True)
        for number in ordered:
            context = contexts[number]
            n = len(context)
            if following is not None and following.context[:n] == context and self._joins(following, n):
                following.wanted.insert(0, n)
                following.numbers.insert(0, number)
                if following.upto >= n:  # what is resident beyond it is decoded again: its logits are wanted
                    following.upto = n - 1
                    claimed.discard(following.target)
                    following.target = -1
            else:
                following = _Leaf(context, [n], [number])
                self._find_source(following, claimed)
                leaves.append(following)
        return sorted(leaves, key=lambda leaf: leaf.numbers[-1])

    def _joins(self, following: _Leaf, n: int) -> bool:
        """Whether the first n tokens of a leaf are decoded with it, though some of it may be resident beyond them.

        Rows ahead of a draft come one token after another: little of them is decoded again.
        """
        return following.upto < n or (following.wanted[0] == n + 1 and following.upto - n < self.again)

    def _find_source(self, leaf: _Leaf, claimed: set[int]) -> None:
        """The slot that shares the longest prefix with a context, short of its last token; in place where it can be."""
        ledger, n = self.ledger, len(leaf.context) - 1
        end = leaf.context[max(n - 4, 0) : n]
        for slot, tokens in enumerate(ledger.tokens):  # mostly it is one token more than a resident context
            if (
                len(tokens) == n
                and tokens[max(n - 4, 0) :] == end
                and slot not in claimed
                and ledger.is_open(slot)
                and begins_with(leaf.context, tokens)
            ):
                leaf.source = leaf.target = slot
                leaf.upto = n
                claimed.add(slot)
                return
        shared = ledger.shared(leaf.context[:n])
        leaf.upto = int(shared.max())
        ties = [slot for slot, length in enumerate(shared.tolist()) if length == leaf.upto]
        leaf.source = ties[0]
        for slot in ties:
            if len(ledger.tokens[slot]) == leaf.upto and slot not in claimed and ledger.is_open(slot):
                leaf.source = leaf.target = slot
                claimed.add(slot)
                return

    def _victim(self, keep: Collection[int]) -> int:
        """The least recently used slot that can be emptied without leaving a hole."""
        idle = self.ledger.wipeable([slot for slot in range(self.n_slots) if slot not in keep])
        if not idle:
            raise CellsFull
        return min(idle, key=self.ledger.used.__getitem__)

    def _holder(self, pin: Tokens) -> int:
        """The slot that holds most of a pinned context; -1: none holds any of it."""
        known = self._holders.get(id(pin))
        if known is not None and known.pin is pin:
            losses = self.ledger.losses[known.slot]
            if known.losses == losses:
                return known.slot
            if self.ledger.tokens[known.slot][: known.n] == pin[: known.n]:
                self._holders[id(pin)] = known._replace(losses=losses)
                return known.slot
        shared = self.ledger.shared(pin)
        slot = int(shared.argmax())
        n = int(shared[slot])
        if n >= len(pin) - 1 > 0:  # it cannot get better; otherwise another slot may come to hold more
            if len(self._holders) > self.n_slots:
                self._holders.clear()
            self._holders[id(pin)] = _Holder(pin, slot, n, self.ledger.losses[slot])
        return slot if n else -1
