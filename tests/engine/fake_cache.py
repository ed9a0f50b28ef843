"""llama.cpp's unified KV cache as read in its source: cells, a search head, first fit. Tokens instead of tensors."""

from __future__ import annotations

from localpower.engine.slots import Copy


class FakeCache:
    """Executes plans as the engine would and knows which token lies in which cell."""

    def __init__(self, n_cells: int) -> None:
        self.cells: list[dict | None] = [None] * n_cells  # {"token", "position", "owners"}
        self.head = 0
        self.writes = 0

    def remove(self, sequence: int, low: int, high: int) -> None:
        lowest = None
        for i, cell in enumerate(self.cells):
            if cell and sequence in cell["owners"] and low <= cell["position"] < high:
                cell["owners"].discard(sequence)
                if not cell["owners"]:
                    self.cells[i] = None
                    lowest = i if lowest is None else lowest
        if lowest is not None and lowest < self.head:
            self.head = lowest

    def copy(self, source: int, target: int, upto: int) -> None:
        self.remove(target, 0, 10**9)
        for cell in self.cells:
            if cell and source in cell["owners"] and cell["position"] < upto:
                cell["owners"].add(target)

    def decode(self, rows) -> None:
        """rows: (sequence, position, token) in batch order; each takes the next free cell from the head."""
        head = self.head
        if head > sum(cell is not None for cell in self.cells) + 2 * len(rows):
            head = 0
        found: list[int] = []
        tested = 0
        while len(found) < len(rows):
            assert tested <= len(self.cells), "no free cell"
            head = head % len(self.cells)
            if self.cells[head] is None:
                found.append(head)
            head += 1
            tested += 1
        for i, (sequence, position, token) in zip(found, rows, strict=True):
            held = self.sequence(sequence)
            assert position == len(held), "positions must continue"
            self.cells[i] = {"token": token, "position": position, "owners": {sequence}}
            self.writes += 1
        self.head = found[-1] + 1

    def sequence(self, sequence: int) -> list[tuple[int, int]]:
        """(token, cell) by position."""
        held = [
            (cell["position"], cell["token"], i)
            for i, cell in enumerate(self.cells)
            if cell and sequence in cell["owners"]
        ]
        return [(token, i) for _, token, i in sorted(held)]

    def compact(self, kept) -> None:
        """Save, empty, restore: a restored part takes free cells from the lowest on."""
        saved = [self.sequence(keep.slot)[keep.shared : keep.upto] for keep in kept]
        for i in range(len(self.cells)):
            self.cells[i] = None
        self.head = 0
        for keep, part in zip(kept, saved, strict=True):
            for position, (token, _) in enumerate(part, keep.shared):
                free = self.cells.index(None)
                self.cells[free] = {"token": token, "position": position, "owners": {keep.slot}}
                self.head = free + 1
            for cell in self.cells:
                if cell and keep.parent in cell["owners"] and cell["position"] < keep.shared:
                    cell["owners"].add(keep.slot)

    def execute(self, plan, batch: int) -> None:
        """What LlamaModel.logits does with a plan."""
        for move in plan.moves:
            if isinstance(move, Copy):
                self.copy(move.source, move.target, move.upto)
            else:
                self.compact(move.kept)
        rows = [
            (grant, (decode.slot, decode.start + i, token), i >= decode.wanted[0])
            for decode in plan.decodes
            for i, (token, grant) in enumerate(zip(decode.tokens, decode.grants, strict=True))
        ]
        if len(rows) <= batch:
            calls = [rows]
        else:
            bodies = [row for row in rows if not row[2]]
            tails = [row for row in rows if row[2]]
            calls = [part[i : i + batch] for part in (bodies, tails) for i in range(0, len(part), batch)]
        for call in calls:
            for grant, _, _ in call:
                for holder, position in grant.release:
                    self.remove(holder, position, position + 1)
            self.decode([row for _, row, _ in sorted(call, key=lambda r: r[0].cell)])
