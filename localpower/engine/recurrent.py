"""Recurrent and hybrid memory: whole contexts in, rows of logits out, by checkpoints and recomputation.

Every chain has a sequence to itself. Its state is kept now and then (`sequences.py`); to go back is to restore one and
to evaluate again what lies between. Exact where the engine's check says so, and dearer than attention, which forgets
at will: each Metropolis-Hastings step reads part of the kept prefix again, in batches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from localpower.engine.base import GgufEngine
from localpower.engine.batch import RowSpec
from localpower.engine.sequences import ResidentSequence, assign
from localpower.engine.snapshot import Snapshot
from localpower.model import LogitRow, Tokens, distinct, head_of

_SPACING = 16  # tokens between two checkpoints, doubled while they take too much room
_ROOM = 256 << 20  # bytes for the checkpoints of all sequences


class RecurrentModel(GgufEngine):
    """For models a part of whose memory is a state. n_cells: tokens of one context; n_sequences: contexts at a time."""

    grows = True  # it reads `Growing` contexts

    def _begin(self) -> None:
        self._tick = 0
        self._spacing = _SPACING
        self.reset()

    def reset(self) -> None:
        """Forget everything resident, checkpoints and shared_prefix too."""
        # By length. It is `checkpoints` of the sequence too: what grows with the answer is not copied for each state.
        states: list[dict[int, bytes]] = [{} for _ in range(self.n_sequences)]
        # First: a sequence of nothing is trimmed before it is used.
        self._sequences = [ResidentSequence(checkpoints=each) for each in states]
        self._states, self._kept = states, 0  # bytes of all states
        self._shared_prefix: tuple[Tokens, bytes] = ((), b"")
        self._memory.clear()

    def logits(
        self, contexts: Sequence[Tokens], prompt_lengths: Sequence[int] | None = None
    ) -> Sequence[LogitRow]:
        """As in `GgufEngine`."""
        self._check()
        wanted, which = distinct(contexts)
        self._refuse(wanted)
        starts = assign(self._sequences, wanted, self._shared_prefix[0])
        self._tick += 1
        # All go back before any reads on: reading may drop a checkpoint, or keep another shared prefix.
        for start in starts:
            self._go_back(
                start.sequence, start.length, self._shared_prefix if start.from_shared_prefix else None
            )
        for start, context in zip(starts, wanted, strict=True):
            self._read(start.sequence, context, len(context) - 1)
        sequences = [start.sequence for start in starts]
        rows: dict[int, LogitRow] = {}
        order = sorted(range(len(sequences)), key=sequences.__getitem__)  # llama.cpp joins neighbours
        for first in range(0, len(order), self.batch):
            rows = {i: row.copy() for i, row in rows.items()}
            chunk = order[first : first + self.batch]
            found = self._advance([(sequences[i], wanted[i], len(wanted[i])) for i in chunk], wanted=True)
            rows |= dict(zip(chunk, found, strict=True))
        for start in starts:
            self._checkpoint(start.sequence)
        return [rows[i] for i in which]

    def snapshot(self, context: Tokens) -> Snapshot:
        """As in `GgufEngine`; it can be continued, not cut."""
        self._check()
        self._refuse([context])
        (start,) = assign(self._sequences, [(*context, 0)], self._shared_prefix[0])
        self._go_back(start.sequence, start.length, self._shared_prefix if start.from_shared_prefix else None)
        self._read(start.sequence, context, len(context))
        return self._keep(start.sequence, context)

    def adopt(self, snapshot: Snapshot) -> None:
        """As in `GgufEngine`."""
        self.reset()
        self._shared_prefix = (snapshot.tokens, snapshot.pieces[0])
        try:
            self._go_back(0, len(snapshot.tokens), self._shared_prefix)
        except BaseException:
            self.reset()
            raise

    def resident(self, context: Tokens) -> int:
        """As in `GgufEngine`."""
        (start,) = assign(self._sequences, [(*context, 0)], self._shared_prefix[0])
        return start.length

    def _go_back(self, index: int, length: int, shared_prefix: tuple[Tokens, bytes] | None) -> None:
        """Take a sequence to its first `length` tokens, or to a shared_prefix."""
        sequence = self._sequences[index]
        if shared_prefix is not None:
            tokens, state = shared_prefix
            self._forget(index)
            self._memory.restore_state(index, state, len(tokens), whole=True)
            self._sequences[index] = ResidentSequence(tokens, self._states[index], self._tick)
        elif length == 0:
            self._forget(index)
            self._memory.trim(index, 0)
        elif length < len(sequence.tokens):
            state = self._states[index][length]
            self._sequences[index] = ResidentSequence()  # until llama.cpp has done it
            self._memory.restore_state(index, state, length, whole=False)
            self._thin(index, lambda checkpoint: checkpoint <= length)
            self._sequences[index] = ResidentSequence(
                head_of(sequence.tokens, length), self._states[index], self._tick
            )

    def _forget(self, index: int) -> None:
        self._sequences[index] = ResidentSequence()
        self._thin(index, lambda _: False)
        self._sequences[index] = ResidentSequence((), self._states[index], self._tick)

    def _thin(self, index: int, keep: Callable[[int], bool]) -> None:
        """Let go of a sequence's states at lengths that are not kept."""
        states = self._states[index]
        for length in [length for length in states if not keep(length)]:
            self._kept -= len(states.pop(length))

    def _read(self, index: int, context: Tokens, end: int) -> None:
        """Let a sequence read on to the first `end` tokens of a context, keeping its state on the way."""
        shared_prefix = self.prompt_length - 1
        while (at := len(self._sequences[index].tokens)) < end:
            self._check()
            if at < shared_prefix:
                self._tell(at)
            checkpoint = (at // self._spacing + 1) * self._spacing
            stop = min(end, shared_prefix if at < shared_prefix else checkpoint, at + self.batch)
            self._advance([(index, context, stop)], wanted=False)
            if stop == shared_prefix:
                self._shared_prefix = (context[:stop], self._memory.save_state(index, whole=True))
            self._checkpoint(index)

    def _advance(self, parts: Sequence[tuple[int, Tokens, int]], *, wanted: bool) -> list[LogitRow]:
        """One decode: each sequence reads a context up to a length; the rows after each last token, if wanted."""
        specs = []
        for index, context, stop in parts:
            at = len(self._sequences[index].tokens)
            specs += [RowSpec(index, at + i, token, False) for i, token in enumerate(context[at:stop])]
            specs[-1] = replace(specs[-1], wanted=wanted)
            self._count(at, stop)
        before = [self._sequences[index] for index, _, _ in parts]
        for index, _, _ in parts:
            # whatever happens inside llama.cpp, it is not what it was
            self._sequences[index] = ResidentSequence()
        rows = self._evaluate(specs)
        for (index, context, stop), sequence in zip(parts, before, strict=True):
            self._sequences[index] = replace(sequence, tokens=head_of(context, stop), used=self._tick)
        return rows

    def _checkpoint(self, index: int) -> None:
        """Keep a sequence's state where its length asks for it."""
        sequence = self._sequences[index]
        length = len(sequence.tokens)
        if length % self._spacing or length < self.prompt_length or length in sequence.checkpoints:
            return
        state = self._memory.save_state(index, whole=False)
        self._states[index][length] = state
        self._kept += len(state)
        while self._kept > _ROOM:
            self._spacing *= 2
            for i in range(self.n_sequences):
                self._thin(i, lambda length: length % self._spacing == 0)
            self._kept = sum(len(kept) for states in self._states for kept in states.values())
