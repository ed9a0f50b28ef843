"""Which sequence of a recurrent model serves which context, and from where. Pure.

A recurrent state is the sum of all that was read: it cannot be cut at a position. So each sequence keeps copies of its
state at some lengths (checkpoints); what lies between a checkpoint and the wanted position is evaluated again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from localpower.model import Tokens, begins_with, common_prefix

_END = 8  # tokens by which two texts of one length are told apart


@dataclass(frozen=True, slots=True)
class ResidentSequence:
    """tokens: what the sequence has read. checkpoints: lengths at which its state was kept. used: time of last use."""

    tokens: Tokens = ()
    checkpoints: Collection[int] = ()
    used: int = 0


@dataclass(frozen=True, slots=True)
class Start:
    """Serve a context on `sequence`: begin at `length` tokens, of its own, of a checkpoint, or of the shared prefix."""

    sequence: int
    length: int
    from_shared_prefix: bool = False


def start_of(sequence: ResidentSequence, context: Tokens) -> int:
    """The longest prefix of `context`, short of its last token, at which this sequence has a state."""
    shared = min(common_prefix(sequence.tokens, context), len(context) - 1)
    if len(sequence.tokens) == shared:
        return shared
    return max((checkpoint for checkpoint in sequence.checkpoints if checkpoint <= shared), default=0)


def assign(
    sequences: Sequence[ResidentSequence], contexts: Sequence[Tokens], shared_prefix: Tokens
) -> list[Start]:
    """A sequence of its own for every context (distinct, non-empty; not more than sequences), the best fit first.

    shared_prefix: tokens after which a whole state is kept: any sequence can begin there.
    """
    steady = _steady(sequences, contexts)
    if steady is not None:
        return steady
    starts: dict[int, Start] = {}
    taken: set[int] = set()
    open_contexts = set(range(len(contexts)))
    lengths = [[start_of(sequence, context) for sequence in sequences] for context in contexts]
    while open_contexts:
        gains = [
            (lengths[i][index], -sequence.used, -index, -i)
            for i in sorted(open_contexts)
            for index, sequence in enumerate(sequences)
            if index not in taken
        ]
        length, _, *negative = max(gains)
        sequence, i = (-n for n in negative)
        if (
            length < len(shared_prefix) < len(contexts[i])
            and contexts[i][: len(shared_prefix)] == shared_prefix
        ):
            starts[i] = Start(_idlest(sequences, taken), len(shared_prefix), from_shared_prefix=True)
        else:
            starts[i] = Start(sequence if length else _idlest(sequences, taken), length)
        taken.add(starts[i].sequence)
        open_contexts.remove(i)
    return [starts[i] for i in range(len(contexts))]


def _steady(sequences: Sequence[ResidentSequence], contexts: Sequence[Tokens]) -> list[Start] | None:
    """Where each context is one token more than what one sequence alone has read: no text is looked through.

    None: that is not so, or cannot be seen by the ends of the texts.
    """
    starts = []
    for context in contexts:
        n = len(context) - 1
        end = context[max(n - _END, 0) : n]
        alike = [
            index
            for index, sequence in enumerate(sequences)
            if len(sequence.tokens) == n and sequence.tokens[max(n - _END, 0) :] == end
        ]
        if n == 0 or len(alike) != 1 or not begins_with(context, sequences[alike[0]].tokens):
            return None
        starts.append(Start(alike[0], n))
    return starts if len({start.sequence for start in starts}) == len(starts) else None


def _idlest(sequences: Sequence[ResidentSequence], taken: Collection[int]) -> int:
    return min((i for i in range(len(sequences)) if i not in taken), key=lambda i: sequences[i].used)
