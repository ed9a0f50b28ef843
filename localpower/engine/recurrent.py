"""Recurrent and hybrid memory: whole contexts in, rows of logits out, by checkpoints and recomputation.

Every chain has a sequence to itself. Its state is kept now and then (`lanes.py`); to go back is to restore one and
to evaluate again what lies between. Exact where the engine's check says so, and dearer than attention, which forgets
at will: each Metropolis-Hastings step reads part of the kept prefix again, in batches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from localpower.engine.base import GgufEngine
from localpower.engine.batch import RowSpec
from localpower.engine.cores import Governor
from localpower.engine.lanes import Lane, assign
from localpower.engine.settings import Settings
from localpower.engine.snapshot import Snapshot
from localpower.engine.weights import Weights
from localpower.errors import EngineError
from localpower.model import Row, Tokens

_SPACING = 16  # tokens between two marks, doubled while they take too much room
_ROOM = 256 << 20  # bytes for the marks of all lanes


class RecurrentModel(GgufEngine):
    """For models a part of whose memory is a state. n_cells: tokens of one context; n_lanes: contexts at a time."""

    def __init__(
        self,
        weights: Weights,
        settings: Settings,
        *,
        n_cells: int,
        n_lanes: int,
        check: Callable[[], None] = lambda: None,
        governor: Governor | None = None,
    ) -> None:
        """Raises EngineError when the context cannot be made."""
        super().__init__(weights, settings, check, governor, n_cells=n_cells, n_sequences=n_lanes)
        self._tick = 0
        self._spacing = _SPACING
        self.reset()

    def reset(self) -> None:
        """Forget everything resident, marks and trunk too."""
        self._lanes = [Lane()] * self.n_sequences  # first: a lane of nothing is trimmed before it is used
        self._states: list[dict[int, bytes]] = [{} for _ in self._lanes]
        self._trunk: tuple[Tokens, bytes] = ((), b"")
        self._memory.clear()

    def logits(
        self, contexts: Sequence[Tokens], prompt_lengths: Sequence[int] | None = None
    ) -> Sequence[Row]:
        """As in `GgufEngine`."""
        self._check()
        distinct = list(dict.fromkeys(contexts))
        self._refuse(distinct)
        trunk = (
            self._trunk
        )  # reading one context may keep another trunk before the next one goes back to this
        starts = assign(self._lanes, distinct, trunk[0])
        self._tick += 1
        for start, context in zip(starts, distinct, strict=True):
            self._go_back(start.lane, start.length, trunk if start.from_trunk else None)
            self._read(start.lane, context[:-1])
        lanes = [start.lane for start in starts]
        rows: dict[int, Row] = {}
        batch = self._settings.batch
        order = sorted(range(len(lanes)), key=lambda i: lanes[i])  # llama.cpp joins neighbouring sequences
        for first in range(0, len(order), batch):
            rows = {i: row.copy() for i, row in rows.items()}
            chunk = order[first : first + batch]
            found = self._advance([(lanes[i], distinct[i][-1:]) for i in chunk], wanted=True)
            rows |= dict(zip(chunk, found, strict=True))
        for start in starts:
            self._mark(start.lane)
        index = {context: i for i, context in enumerate(distinct)}
        return [rows[index[context]] for context in contexts]

    def snapshot(self, context: Tokens) -> Snapshot:
        """As in `GgufEngine`; it can be continued, not cut."""
        self._check()
        self._refuse([context])
        (start,) = assign(self._lanes, [(*context, 0)], self._trunk[0])
        self._go_back(start.lane, start.length, self._trunk if start.from_trunk else None)
        self._read(start.lane, context)
        return self._keep(start.lane, context)

    def adopt(self, snapshot: Snapshot) -> None:
        """As in `GgufEngine`."""
        self.reset()
        self._trunk = (snapshot.tokens, snapshot.pieces[0])
        try:
            self._go_back(0, len(snapshot.tokens), self._trunk)
        except BaseException:
            self.reset()
            raise

    def resident(self, context: Tokens) -> int:
        """As in `GgufEngine`."""
        (start,) = assign(self._lanes, [(*context, 0)], self._trunk[0])
        return start.length

    def _keep(self, sequence: int, tokens: Tokens) -> Snapshot:
        return Snapshot(tokens, (self._memory.save_state(sequence, whole=True),), divisible=False)

    def _load(self, snapshot: Snapshot) -> None:
        self._memory.restore_state(0, snapshot.pieces[0], len(snapshot.tokens), whole=True)

    def _refuse(self, contexts: Sequence[Tokens]) -> None:
        if not all(contexts):
            raise EngineError("a context must hold at least one token")
        if len(contexts) > len(self._lanes):
            raise EngineError(f"{len(contexts)} contexts, and lanes for {len(self._lanes)}")
        longest = max(map(len, contexts), default=0)
        if longest > self.n_cells:
            raise EngineError(f"a context of {longest} tokens does not fit {self.n_cells} cells")

    def _go_back(self, index: int, length: int, trunk: tuple[Tokens, bytes] | None) -> None:
        """Take a lane to its first `length` tokens, or to a trunk."""
        lane = self._lanes[index]
        if trunk is not None:
            tokens, state = trunk
            self._forget(index)
            self._memory.restore_state(index, state, len(tokens), whole=True)
            self._lanes[index] = Lane(tokens, used=self._tick)
        elif length == 0:
            self._forget(index)
            self._memory.trim(index, 0)
        elif length < len(lane.tokens):
            marks = frozenset(mark for mark in lane.marks if mark <= length)
            state = self._states[index][length]
            self._lanes[index] = Lane()  # until llama.cpp has done it
            self._memory.restore_state(index, state, length, whole=False)
            self._states[index] = {mark: self._states[index][mark] for mark in marks}
            self._lanes[index] = Lane(lane.tokens[:length], marks, self._tick)

    def _forget(self, index: int) -> None:
        self._lanes[index], self._states[index] = Lane(used=self._tick), {}

    def _read(self, index: int, tokens: Tokens) -> None:
        """Let a lane read on to the end of `tokens`, keeping its state on the way."""
        trunk = self.prompt_length - 1
        while (at := len(self._lanes[index].tokens)) < len(tokens):
            self._check()
            mark = (at // self._spacing + 1) * self._spacing
            stop = min(len(tokens), trunk if at < trunk else mark, at + self._settings.batch)
            self._advance([(index, tokens[at:stop])], wanted=False)
            if stop == trunk:
                self._trunk = (tokens[:stop], self._memory.save_state(index, whole=True))
            self._mark(index)

    def _advance(self, parts: Sequence[tuple[int, Tokens]], *, wanted: bool) -> list[Row]:
        """One decode: each lane reads its part; the rows after the last token of each, if wanted."""
        specs = []
        for index, tokens in parts:
            at = len(self._lanes[index].tokens)
            specs += [RowSpec(index, at + i, token, False) for i, token in enumerate(tokens)]
            specs[-1] = replace(specs[-1], wanted=wanted)
            self._count(at, at + len(tokens))
        before = [self._lanes[index] for index, _ in parts]
        for index, _ in parts:
            self._lanes[index] = Lane()  # whatever happens inside llama.cpp, it is not what it was
        rows = self._evaluate(specs)
        for (index, tokens), lane in zip(parts, before, strict=True):
            self._lanes[index] = replace(lane, tokens=lane.tokens + tokens, used=self._tick)
        return rows

    def _mark(self, index: int) -> None:
        """Keep a lane's state where its length asks for it."""
        lane = self._lanes[index]
        length = len(lane.tokens)
        if length % self._spacing or length < self.prompt_length or length in lane.marks:
            return
        self._states[index][length] = self._memory.save_state(index, whole=False)
        self._lanes[index] = replace(lane, marks=lane.marks | {length})
        while sum(len(state) for states in self._states for state in states.values()) > _ROOM:
            self._spacing *= 2
            for i, states in enumerate(self._states):
                self._states[i] = {n: state for n, state in states.items() if n % self._spacing == 0}
                self._lanes[i] = replace(self._lanes[i], marks=frozenset(self._states[i]))
