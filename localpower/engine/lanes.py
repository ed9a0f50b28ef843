"""Which sequence of a recurrent model serves which context, and from where. Pure.

A recurrent state is the sum of all that was read: it cannot be cut at a position. So each sequence (a lane) keeps
copies of its state at some lengths (marks); what lies between a mark and the wanted position is evaluated again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from localpower.engine.slots import common_prefix
from localpower.model import Tokens


@dataclass(frozen=True, slots=True)
class Lane:
    """tokens: what the sequence has read. marks: lengths at which its state was kept. used: time of last use."""

    tokens: Tokens = ()
    marks: frozenset[int] = frozenset()
    used: int = 0


@dataclass(frozen=True, slots=True)
class Start:
    """Serve a context on `lane`: begin at `length` tokens, from its own end or a mark, or from the trunk."""

    lane: int
    length: int
    from_trunk: bool = False


def start_of(lane: Lane, context: Tokens) -> int:
    """The longest prefix of `context`, short of its last token, at which this lane has a state."""
    shared = min(common_prefix(lane.tokens, context), len(context) - 1)
    if len(lane.tokens) == shared:
        return shared
    return max((mark for mark in lane.marks if mark <= shared), default=0)


def assign(lanes: Sequence[Lane], contexts: Sequence[Tokens], trunk: Tokens) -> list[Start]:
    """A lane of its own for every context (distinct, non-empty; not more than lanes), the best fit first.

    trunk: tokens after which a whole state is kept: any lane can begin there.
    """
    starts: dict[int, Start] = {}
    taken: set[int] = set()
    open_contexts = set(range(len(contexts)))
    while open_contexts:
        gains = [
            (start_of(lane, contexts[i]), -lane.used, -index, -i)
            for i in sorted(open_contexts)
            for index, lane in enumerate(lanes)
            if index not in taken
        ]
        length, _, *negative = max(gains)
        lane, i = (-n for n in negative)
        if length < len(trunk) < len(contexts[i]) and contexts[i][: len(trunk)] == trunk:
            starts[i] = Start(_idlest(lanes, taken), len(trunk), from_trunk=True)
        else:
            starts[i] = Start(lane if length else _idlest(lanes, taken), length)
        taken.add(starts[i].lane)
        open_contexts.remove(i)
    return [starts[i] for i in range(len(contexts))]


def _idlest(lanes: Sequence[Lane], taken: Collection[int]) -> int:
    return min((i for i in range(len(lanes)) if i not in taken), key=lambda i: lanes[i].used)
