"""LlamaModel: whole contexts in, rows of logits out, over one KV cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from localpower.engine import planner, slots
from localpower.engine.context import Context, RowSpec
from localpower.engine.settings import Settings
from localpower.engine.weights import Weights
from localpower.errors import EngineError
from localpower.model import Row, Tokens
from localpower.numerics import weigh


@dataclass(slots=True)
class Counters:
    """What the engine really evaluated. prefill: tokens inside the prompt; answer: tokens after it."""

    prefill_tokens: int = 0
    answer_tokens: int = 0
    padded_rows: int = 0
    decode_calls: int = 0
    compactions: int = 0


class LlamaModel:
    """A `Model` over llama.cpp. In exact mode a row is a function of its context's tokens alone.

    steady_rows: without the exact mode, rows that a sampler draws from are always decoded one a context,
    apart from prefill, padded to this many: one shape for all scores, pinned cells never recomputed.
    """

    def __init__(
        self,
        weights: Weights,
        settings: Settings,
        *,
        n_cells: int,
        n_slots: int,
        steady_rows: int = 0,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """`check` runs before every decode and may raise Interrupted; the cache stays true."""
        self._context = Context(weights, settings, n_cells=n_cells, n_sequences=n_slots)
        self._settings = settings
        self._n_slots = n_slots
        self._steady = steady_rows
        self._check = check
        self._resident = slots.empty(n_slots)
        self._pins: dict[object, Tokens] = {}
        padding = max(settings.min_rows, steady_rows)
        self._capacity = self._context.n_cells - padding
        self.n_vocab = weights.n_vocab
        self.eos = weights.eos
        self.counters = Counters()
        self.prompt_length = 0

    def close(self) -> None:
        """Free the cache."""
        self._context.close()

    def pin(self, context: Tokens, owner: object = None) -> None:
        """Keep the prefixes of `context` at hand for `owner`, who holds one pin at a time."""
        self._pins[owner] = context

    def unpin(self, owner: object) -> None:
        """`owner` will not come back."""
        self._pins.pop(owner, None)

    def logits(self, contexts: Sequence[Tokens]) -> Sequence[Row]:
        """Rows (vocab,) float32 after each context; views, valid until the next call.

        Raises EngineError for an empty context, or more contexts than the slots allow.
        """
        if not all(contexts):
            raise EngineError("a context must hold at least one token")
        self._check()
        plan = planner.plan(self._resident, contexts, self._pins.values(), self._capacity)
        try:
            for move in plan.moves:
                if isinstance(move, slots.Copy):
                    self._context.copy(move.source, move.target, move.upto)
                else:
                    self._compact(move.kept)
            rows = self._decode(plan.decodes)
        except BaseException:
            self.reset()  # cells may have been released that no token took
            raise
        self._resident = plan.after
        return [rows[i] for i in plan.rows]

    def score(self, context: Tokens, continuation: Tokens) -> NDArray[np.float64]:
        """log p of each token of `continuation`, by a fresh evaluation that reuses nothing."""
        if not context:
            raise EngineError("a context must hold at least one token")
        self.reset()
        tokens = context + continuation[:-1]
        first = len(context) - 1
        rows = [
            _PlacedRow(RowSpec(0, i, token, i >= first), slots.Grant(i)) for i, token in enumerate(tokens)
        ]
        out: list[float] = []
        for chunk in _even_chunks(rows, self._settings.batch):
            for _, logits in self._run(chunk):
                out.append(weigh(logits, 1.0).log_p(continuation[len(out)]))
        self.reset()
        return np.array(out, dtype=np.float64)

    def reset(self) -> None:
        """Forget everything resident."""
        for slot in range(self._n_slots):
            self._context.trim(slot, 0)
        self._resident = slots.empty(self._n_slots)

    def _compact(self, kept: Sequence[slots.Kept]) -> None:
        saved = [self._context.save(keep.slot, keep.shared, keep.upto) for keep in kept]
        for slot in range(self._n_slots):
            self._context.trim(slot, 0)
        for keep, state in zip(kept, saved, strict=True):
            self._context.restore(keep.slot, state)
            if keep.shared:
                self._context.share(keep.parent, keep.slot, keep.shared)
        self.counters.compactions += 1

    def _decode(self, decodes: Sequence[slots.Decode]) -> list[Row]:
        """Evaluate all decodes: in one batch if they fit, else bodies first and last tokens together."""
        rows = [row for decode in decodes for row in _rows(decode)]
        inside = sum(row.spec.position < self.prompt_length for row in rows)
        self.counters.prefill_tokens += inside
        self.counters.answer_tokens += len(rows) - inside
        batch = self._settings.batch
        if len(rows) <= batch and not self._steady:
            found = dict(self._run(rows))
        else:
            for chunk in _even_chunks([row for row in rows if not row.spec.wanted], batch):
                self._run(chunk)
            found = {}
            for chunk in _even_chunks([row for row in rows if row.spec.wanted], batch):
                # the next decode overwrites the engine's buffer
                found = {slot: logits.copy() for slot, logits in found.items()}
                found |= dict(self._run(chunk, self._steady))
        return [found[decode.slot] for decode in decodes]

    def _run(self, rows: Sequence[_PlacedRow], at_least: int = 0) -> list[tuple[int, Row]]:
        """One decode of at least so many rows: (slot, logits) of the wanted ones.

        llama.cpp gives the lowest free cell to the first row and so on: release what is granted, sort by cell.
        """
        self._check()
        for row in rows:
            if row.grant.holder >= 0:
                self._context.release(row.grant.holder, row.grant.position)
        specs = [row.spec for row in sorted(rows, key=lambda row: row.grant.cell)]
        self.counters.decode_calls += 1
        logits = self._context.decode(specs, at_least)
        self.counters.padded_rows = self._context.padded_rows
        wanted = [spec.sequence for spec in specs if spec.wanted]
        return list(zip(wanted, logits, strict=True))


@dataclass(frozen=True, slots=True)
class _PlacedRow:
    spec: RowSpec
    grant: slots.Grant


def _rows(decode: slots.Decode) -> list[_PlacedRow]:
    last = len(decode.tokens) - 1
    return [
        _PlacedRow(RowSpec(decode.slot, decode.start + i, token, i == last), grant)
        for i, (token, grant) in enumerate(zip(decode.tokens, decode.grants, strict=True))
    ]


def _even_chunks(items: Sequence[_PlacedRow], size: int) -> list[Sequence[_PlacedRow]]:
    """Nearly equal chunks of at most `size`, so that no chunk is a lone row unless all of it is."""
    n = -(-len(items) // size)
    bounds = [round(i * len(items) / n) for i in range(n + 1)] if n else []
    return [items[a:b] for a, b in pairwise(bounds)]
