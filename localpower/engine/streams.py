"""Attention with a stream of keys and values for each sequence: whole contexts in, rows of logits out.

In a stream the token at position i lies in cell i, and each decode holds one token of a sequence. So llama.cpp computes
every token of an answer as it does a lone one, by its plain attention, whoever else is in the batch: the bits
are those of llama.cpp's own decoding, at its speed. (In a cache that sequences share, plain attention sums over all of
their cells, so that bits depend on who else is there; only the slower flash attention can be made exact there.)

A prompt but its last token is read in batches, by kernels that round otherwise than those of a lone row. It is always
read so, and nothing else is (placement.py), so that a row is a function of prompt and answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from localpower.engine.base import GgufEngine, even_chunks
from localpower.engine.batch import RowSpec
from localpower.engine.placement import Demand, Held, numbered, opening_of, place
from localpower.engine.snapshot import Snapshot
from localpower.errors import EngineError
from localpower.model import LogitRow, Tokens, common_prefix


class StreamModel(GgufEngine):
    """For plain attention. n_cells: tokens of one context; n_sequences: contexts at a time, and those kept beside."""

    grows = True  # it reads `Growing` contexts

    def _begin(self) -> None:
        self._tick = 0
        self._held = [Held()] * self.n_sequences
        self._openings: dict[object, int] = {}  # of pins, by owner
        self._copied = False  # since the last decode

    def reset(self) -> None:
        """Forget everything resident."""
        self._held = [Held()] * self.n_sequences  # first: a sequence is cut to what is held before it is used
        self._memory.clear()

    def logits(
        self, contexts: Sequence[Tokens], prompt_lengths: Sequence[int] | None = None
    ) -> Sequence[LogitRow]:
        """As in `GgufEngine`."""
        self._check()
        lengths = prompt_lengths or [self.prompt_length] * len(contexts)
        if not contexts:
            return []
        each = [Demand(c, opening_of(c, n)) for c, n in zip(contexts, lengths, strict=True)]
        distinct, which = numbered(each)
        sequences = self._serve(distinct)
        parts = [(s, w.context[-1:]) for s, w in zip(sequences, distinct, strict=True)]
        rows = self._decode(parts, whole=[w.context for w in distinct])
        return [rows[i] for i in which]

    def pin(self, context: Tokens, owner: object = None, prompt_length: int | None = None) -> None:
        """As in `GgufEngine`."""
        super().pin(context, owner)
        self._openings[owner] = self.prompt_length if prompt_length is None else prompt_length

    def unpin(self, owner: object) -> None:
        """As in `GgufEngine`."""
        super().unpin(owner)
        self._openings.pop(owner, None)

    def snapshot(self, context: Tokens) -> Snapshot:
        """As in `GgufEngine`: `context` is taken for the beginning of a prompt."""
        self._check()
        (sequence,) = self._serve([_beginning(context)])
        if self._copied:  # llama.cpp makes copies before the next decode: it would save what was there before
            again = min(2, len(context))
            self._cut(sequence, len(context) - again)
            self._decode([(sequence, context[-again:])], wanted=False, read=again == 2)
        return self._keep(sequence, context)

    def adopt(self, snapshot: Snapshot) -> None:
        """As in `GgufEngine`."""
        self.reset()
        n = len(snapshot.tokens)
        if n > self.n_cells:
            raise EngineError(f"{n} tokens do not fit {self.n_cells} cells")
        self._load(snapshot)
        self._held[0] = Held(snapshot.tokens, n if n >= 2 else 0, self._tick)

    def resident(self, context: Tokens) -> int:
        """As in `GgufEngine`: `context` is taken for the beginning of a prompt."""
        return max(min(common_prefix(held.tokens, context), held.read) for held in self._held)

    def _opening_length(self, context: Tokens) -> int:
        return opening_of(context, self.prompt_length)

    def _load(self, snapshot: Snapshot) -> None:
        if self._copied:  # llama.cpp has copies in mind, and would make them over what is put there
            self._memory.trim(0, 0)
            self.context.decode([RowSpec(0, 0, 0, False)])
            self._copied = False
        super()._load(snapshot)

    def _serve(self, wanted: Sequence[Demand]) -> tuple[int, ...]:
        """Sequences that hold all of each of these distinct contexts but its last token, and nothing beyond."""
        self._refuse([w.context for w in wanted])
        self._tick += 1
        runs_first = sorted(self._pins.items(), key=lambda item: not isinstance(item[0], int))
        pins = [
            Demand(context, opening_of(context, self._openings.get(owner, 0)))
            for owner, context in runs_first
            if context
        ]
        placed = place(self._held, wanted, pins)
        for source, target in placed.copies:
            self._copy(source, target)
        for sequence, length in zip(placed.sequences, placed.lengths, strict=True):
            self._cut(sequence, length)
        self._read(wanted, placed.sequences)
        self._catch_up(wanted, placed.sequences)
        return placed.sequences

    def _read(self, wanted: Sequence[Demand], sequences: Sequence[int]) -> None:
        """Read every opening that is missing once, and copy it to all who begin with it."""
        readers: dict[Tokens, int] = {}
        for sequence, w in zip(sequences, wanted, strict=True):
            at = len(self._held[sequence].tokens)
            if at >= w.opening:
                continue
            opening = w.context[: w.opening]
            if opening in readers:
                self._copy(readers[opening], sequence)
                continue
            for start, stop in even_chunks(w.opening - at, self.batch):
                self._check()
                self._tell(at + start)
                self._decode([(sequence, opening[at + start : at + stop])], wanted=False, read=True)
            readers[opening] = sequence

    def _copy(self, source: int, target: int) -> None:
        held, self._held[target] = self._held[source], Held()
        self._copied = True
        self._memory.copy_stream(source, target)
        self._held[target] = replace(held, used=self._tick)

    def _cut(self, sequence: int, length: int) -> None:
        """First what is known, then the memory, always: whatever an interrupt left there is gone before it is used."""
        held = self._held[sequence]
        if length < len(held.tokens):
            held = Held(held.tokens[:length], min(held.read, length))
        self._held[sequence] = replace(held, used=self._tick)
        self._memory.trim(sequence, length)

    def _catch_up(self, wanted: Sequence[Demand], sequences: Sequence[int]) -> None:
        """Evaluate, one a decode and sequence, what is missing of each context before its last token."""
        while True:
            behind = [
                (s, w.context[at : at + 1])
                for s, w in sorted(zip(sequences, wanted, strict=True), key=lambda pair: pair[0])
                if (at := len(self._held[s].tokens)) < len(w.context) - 1
            ]
            if not behind:
                return
            self._check()
            self._decode(behind, wanted=False)

    def _decode(
        self,
        parts: Sequence[tuple[int, Tokens]],
        *,
        wanted: bool = True,
        read: bool = False,
        whole: Sequence[Tokens] = (),
    ) -> list[LogitRow]:
        """One decode that appends tokens to sequences, and the rows after the last of each, if wanted.

        whole: what each sequence holds then, where that is at hand: a long one is not written again.
        """
        before = {sequence: self._held[sequence] for sequence, _ in parts}
        specs = []
        for sequence, tokens in parts:
            at = len(before[sequence].tokens)
            specs += [RowSpec(sequence, at + i, token, False) for i, token in enumerate(tokens)]
            specs[-1] = replace(specs[-1], wanted=wanted)
            self._count(at, at + len(tokens))
            self._held[sequence] = Held()  # whatever happens inside llama.cpp, it is not what it was
        rows = self._evaluate(sorted(specs, key=lambda spec: spec.sequence))
        for i, (sequence, tokens) in enumerate(parts):
            held = before[sequence]
            n = len(held.tokens) + len(tokens)
            now = whole[i] if whole else held.tokens + tokens
            self._held[sequence] = Held(now, n if read else held.read, self._tick)
        found = dict(zip(sorted(before), rows, strict=wanted))
        return [found[sequence] for sequence, _ in parts] if wanted else []

    def _evaluate(self, specs: Sequence[RowSpec], at_least: int = 0, pads: int = 0) -> list[LogitRow]:
        """Rows sorted by sequence; the padding is a part of the batch and no part of the answer."""
        added = self._padding(specs)
        batch = sorted([*specs, *added], key=lambda spec: spec.sequence) if added else specs
        try:
            rows = super()._evaluate(batch, at_least, len(added))
        finally:
            for pad in added:
                self._memory.trim(pad.sequence, pad.position)
        self._copied = False
        if not added:
            return rows
        self.counters.padded_rows += len(added)
        padding = {pad.sequence for pad in added}
        places = (spec.sequence for spec in batch if spec.wanted)
        return [row for sequence, row in zip(places, rows, strict=True) if sequence not in padding]

    def _padding(self, specs: Sequence[RowSpec]) -> list[RowSpec]:
        """Rows and outputs of idle sequences, neighbours of the busy ones, where fewer rows have other bits."""
        least, n_rows = self._settings.min_rows, len(specs)
        if least == 1:
            return []
        busy = {spec.sequence for spec in specs}
        if n_rows >= least and len(busy) == 1:
            return []
        idle = [
            s for s in range(self.n_sequences) if s not in busy and len(self._held[s].tokens) < self.n_cells
        ]
        gaps = [s for s in idle if min(busy) < s < max(busy)]
        near = sorted(set(idle).difference(gaps), key=lambda s: (min(abs(s - b) for b in busy), -s))
        chosen = [*gaps, *near[: max(least - n_rows - len(gaps), 0)]]
        if n_rows + len(chosen) < least:
            raise EngineError(f"a batch of {n_rows} rows, and no idle sequence to pad it to {least}")
        for sequence in chosen:
            if not self._held[sequence].tokens:
                self._memory.trim(sequence, 0)
        return [RowSpec(sequence, len(self._held[sequence].tokens), 0, True) for sequence in chosen]


def _beginning(context: Tokens) -> Demand:
    return Demand((*context, 0), len(context) if len(context) >= 2 else 0)
