"""Recurrent and hybrid memory: whole contexts in, rows of logits out, by checkpoints and recomputation.

Every chain has a sequence to itself. Its state is kept now and then (`sequences.py`); to go back is to restore one and
to evaluate again what lies between. Exact where the engine's check says so, and dearer than attention, which forgets
at will: each Metropolis-Hastings step reads part of the kept prefix again, in batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from localpower.engine.base import GgufEngine
from localpower.engine.batch import RowSpec
from localpower.engine.sequences import ResidentSequence, assign
from localpower.engine.snapshot import Snapshot
from localpower.model import LogitRow, Tokens

_SPACING = 16  # tokens between two checkpoints, doubled while they take too much room
_ROOM = 256 << 20  # bytes for the checkpoints of all sequences


class RecurrentModel(GgufEngine):
    """For models a part of whose memory is a state. n_cells: tokens of one context; n_sequences: contexts at a time."""

    def _begin(self) -> None:
        self._tick = 0
        self._spacing = _SPACING
        self.reset()

    def reset(self) -> None:
        """Forget everything resident, checkpoints and shared_prefix too."""
        # First: a sequence of nothing is trimmed before it is used.
        self._sequences = [ResidentSequence()] * self.n_sequences
        self._states: list[dict[int, bytes]] = [{} for _ in self._sequences]
        self._shared_prefix: tuple[Tokens, bytes] = ((), b"")
        self._memory.clear()

    def logits(
        self, contexts: Sequence[Tokens], prompt_lengths: Sequence[int] | None = None
    ) -> Sequence[LogitRow]:
        """As in `GgufEngine`."""
        self._check()
        distinct = list(dict.fromkeys(contexts))
        self._refuse(distinct)
        starts = assign(self._sequences, distinct, self._shared_prefix[0])
        self._tick += 1
        # All go back before any reads on: reading may drop a checkpoint, or keep another shared prefix.
        for start in starts:
            self._go_back(
                start.sequence, start.length, self._shared_prefix if start.from_shared_prefix else None
            )
        for start, context in zip(starts, distinct, strict=True):
            self._read(start.sequence, context[:-1])
        sequences = [start.sequence for start in starts]
        rows: dict[int, LogitRow] = {}
        order = sorted(range(len(sequences)), key=sequences.__getitem__)  # llama.cpp joins neighbours
        for first in range(0, len(order), self.batch):
            rows = {i: row.copy() for i, row in rows.items()}
            chunk = order[first : first + self.batch]
            found = self._advance([(sequences[i], distinct[i][-1:]) for i in chunk], wanted=True)
            rows |= dict(zip(chunk, found, strict=True))
        for start in starts:
            self._checkpoint(start.sequence)
        index = {context: i for i, context in enumerate(distinct)}
        return [rows[index[context]] for context in contexts]

    def snapshot(self, context: Tokens) -> Snapshot:
        """As in `GgufEngine`; it can be continued, not cut."""
        self._check()
        self._refuse([context])
        (start,) = assign(self._sequences, [(*context, 0)], self._shared_prefix[0])
        self._go_back(start.sequence, start.length, self._shared_prefix if start.from_shared_prefix else None)
        self._read(start.sequence, context)
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
            self._sequences[index] = ResidentSequence(tokens, used=self._tick)
        elif length == 0:
            self._forget(index)
            self._memory.trim(index, 0)
        elif length < len(sequence.tokens):
            checkpoints = frozenset(checkpoint for checkpoint in sequence.checkpoints if checkpoint <= length)
            state = self._states[index][length]
            self._sequences[index] = ResidentSequence()  # until llama.cpp has done it
            self._memory.restore_state(index, state, length, whole=False)
            self._states[index] = {checkpoint: self._states[index][checkpoint] for checkpoint in checkpoints}
            self._sequences[index] = ResidentSequence(sequence.tokens[:length], checkpoints, self._tick)

    def _forget(self, index: int) -> None:
        self._sequences[index], self._states[index] = ResidentSequence(used=self._tick), {}

    def _read(self, index: int, tokens: Tokens) -> None:
        """Let a sequence read on to the end of `tokens`, keeping its state on the way."""
        shared_prefix = self.prompt_length - 1
        while (at := len(self._sequences[index].tokens)) < len(tokens):
            self._check()
            if at < shared_prefix:
                self._tell(at)
            checkpoint = (at // self._spacing + 1) * self._spacing
            stop = min(len(tokens), shared_prefix if at < shared_prefix else checkpoint, at + self.batch)
            self._advance([(index, tokens[at:stop])], wanted=False)
            if stop == shared_prefix:
                self._shared_prefix = (tokens[:stop], self._memory.save_state(index, whole=True))
            self._checkpoint(index)

    def _advance(self, parts: Sequence[tuple[int, Tokens]], *, wanted: bool) -> list[LogitRow]:
        """One decode: each sequence reads its part; the rows after the last token of each, if wanted."""
        specs = []
        for index, tokens in parts:
            at = len(self._sequences[index].tokens)
            specs += [RowSpec(index, at + i, token, False) for i, token in enumerate(tokens)]
            specs[-1] = replace(specs[-1], wanted=wanted)
            self._count(at, at + len(tokens))
        before = [self._sequences[index] for index, _ in parts]
        for index, _ in parts:
            # whatever happens inside llama.cpp, it is not what it was
            self._sequences[index] = ResidentSequence()
        rows = self._evaluate(specs)
        for (index, tokens), sequence in zip(parts, before, strict=True):
            self._sequences[index] = replace(sequence, tokens=sequence.tokens + tokens, used=self._tick)
        return rows

    def _checkpoint(self, index: int) -> None:
        """Keep a sequence's state where its length asks for it."""
        sequence = self._sequences[index]
        length = len(sequence.tokens)
        if length % self._spacing or length < self.prompt_length or length in sequence.checkpoints:
            return
        self._states[index][length] = self._memory.save_state(index, whole=False)
        self._sequences[index] = replace(sequence, checkpoints=sequence.checkpoints | {length})
        while sum(len(state) for states in self._states for state in states.values()) > _ROOM:
            self._spacing *= 2
            for i, states in enumerate(self._states):
                self._states[i] = {n: state for n, state in states.items() if n % self._spacing == 0}
                self._sequences[i] = replace(self._sequences[i], checkpoints=frozenset(self._states[i]))
