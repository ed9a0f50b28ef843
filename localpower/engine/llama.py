"""Attention: whole contexts in, rows of logits out, over one KV cache that all contexts share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from localpower.engine import slots
from localpower.engine.base import GgufEngine, even_chunks
from localpower.engine.batch import RowSpec
from localpower.engine.planner import AGAIN, Planner
from localpower.engine.snapshot import Snapshot
from localpower.errors import EngineError
from localpower.model import LogitRow, Tokens


class LlamaModel(GgufEngine):
    """For models whose memory can be rolled back to any position: plain attention and sliding windows.

    steady_rows: without the exact mode, rows that a sampler draws from are always decoded one a context,
    apart from prefill, padded to this many: one shape for all scores, pinned cells never recomputed.
    """

    grows = True  # it reads `Growing` contexts

    def _begin(self) -> None:
        self._capacity = self.n_cells - max(self._settings.min_rows, self._steady)
        self._planner = Planner(self.n_sequences, self._capacity, again=0 if self._steady else AGAIN)
        self._torn = False  # whether the cache may hold something else than the planner believes

    def logits(
        self, contexts: Sequence[Tokens], prompt_lengths: Sequence[int] | None = None
    ) -> Sequence[LogitRow]:
        """As in `GgufEngine`. What exceeds a batch is evaluated piece by piece, each of them kept."""
        rows = self._execute(plan := self._plan_after_pieces(contexts))
        return [rows[i] for i in plan.rows]

    def snapshot(self, context: Tokens) -> Snapshot:
        """As in `GgufEngine`."""
        self._execute(plan := self._plan_after_pieces([context]), wanted=False)
        return self._keep(plan.decodes[0].slot, context)

    def adopt(self, snapshot: Snapshot) -> None:
        """As in `GgufEngine`."""
        self.reset()
        n = len(snapshot.tokens)
        if n > self._capacity:
            raise EngineError(f"{n} tokens do not fit {self._capacity} cells")
        self._torn = True
        self._load(snapshot)
        self._planner.ledger.adopt(snapshot.tokens)
        self._torn = False

    def resident(self, context: Tokens) -> int:
        """As in `GgufEngine`."""
        if self._torn:
            self.reset()
        return int(self._planner.ledger.shared(context).max())

    def reset(self) -> None:
        """Forget everything resident."""
        self._torn = True  # an interrupt in here is made good by the next call
        self._memory.clear()
        self._planner.reset()
        self._torn = False

    def _keep(self, sequence: int, tokens: Tokens) -> Snapshot:
        return Snapshot(tokens, self._memory.save(sequence, 0, len(tokens)))

    def _load(self, snapshot: Snapshot) -> None:
        self._memory.restore(0, snapshot.pieces)

    def _plan_after_pieces(self, contexts: Sequence[Tokens]) -> slots.Plan:
        """The plan for all contexts, once what exceeds a batch has been evaluated."""
        while (plan := self._plan(contexts)).partial:
            self._tell(max((decode.start for decode in plan.decodes), default=0))
            self._execute(plan, wanted=False)
        return plan

    def _plan(self, contexts: Sequence[Tokens]) -> slots.Plan:
        """What `check` raises leaves everything as it is; from here to the end of `_execute` the cache is torn."""
        if not all(contexts):
            raise EngineError("a context must hold at least one token")
        self._check()
        if self._torn:
            self.reset()
        self._torn = True
        return self._planner.plan(contexts, self._pins.values(), self.batch)

    def _execute(self, plan: slots.Plan, *, wanted: bool = True) -> list[LogitRow]:
        """The wanted rows of the plan's decodes in order; none unless wanted."""
        for move in plan.moves:
            if isinstance(move, slots.Copy):
                self._memory.copy(move.source, move.target, move.upto)
            else:
                self._compact(move.kept)
        rows = self._decode(plan.decodes, wanted)
        self._torn = False
        return rows

    def _compact(self, kept: Sequence[slots.Kept]) -> None:
        saved = [self._memory.save(keep.slot, keep.shared, keep.upto) for keep in kept]
        self._memory.clear()
        for keep, pieces in zip(kept, saved, strict=True):
            self._memory.restore(keep.slot, pieces)
            if keep.shared:
                self._memory.share(keep.parent, keep.slot, keep.shared)
        self.counters.compactions += 1

    def _decode(self, decodes: Sequence[slots.Decode], wanted: bool) -> list[LogitRow]:
        """Evaluate all decodes: in one batch if they fit, else what comes before wanted tokens first."""
        bodies: list[_PlacedRow] = []
        tails: list[_PlacedRow] = []
        for decode in decodes:
            self._count(decode.start, decode.start + len(decode.tokens))
            first = decode.wanted[0]
            for i, (token, grant) in enumerate(zip(decode.tokens, decode.grants, strict=True)):
                spec = RowSpec(decode.slot, decode.start + i, token, wanted and i in decode.wanted)
                (bodies if i < first else tails).append(_PlacedRow(spec, grant))
        if len(bodies) + len(tails) <= self.batch and not (wanted and self._steady):
            found = self._run([*bodies, *tails])
        else:
            for chunk in self._chunks(bodies):
                self._run(chunk)
            found = {}
            for chunk in self._chunks(tails):
                # the next decode overwrites the engine's buffer
                found = {place: logits.copy() for place, logits in found.items()}
                found |= self._run(chunk, self._steady)
        return [found[d.slot, d.start + i] for d in decodes for i in d.wanted] if wanted else []

    def _chunks(self, rows: Sequence[_PlacedRow]) -> list[Sequence[_PlacedRow]]:
        return [rows[start:stop] for start, stop in even_chunks(len(rows), self.batch)]

    def _run(self, rows: Sequence[_PlacedRow], at_least: int = 0) -> dict[tuple[int, int], LogitRow]:
        """One decode of at least so many rows: the logits of the wanted ones by (slot, position).

        llama.cpp gives the lowest free cell to the first row and so on: release what is granted, sort by cell.
        """
        for row in rows:
            for holder, position in row.grant.release:
                self._memory.release(holder, position)
        specs = [row.spec for row in sorted(rows, key=lambda row: row.grant.cell)]
        logits = self._evaluate(specs, at_least)
        places = [(spec.sequence, spec.position) for spec in specs if spec.wanted]
        return dict(zip(places, logits, strict=True))


@dataclass(frozen=True, slots=True)
class _PlacedRow:
    spec: RowSpec
    grant: slots.Grant
