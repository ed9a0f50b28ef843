"""How many cells of keys and values answers need, what these take of memory, and how many chains would fit. Pure.

A cell holds the keys and values of one token. Where sequences share a cache, a chain needs cells for its state and for
what it writes, and a few answers' more for what is dead but not yet reused; streams have as many cells for each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Layout = Literal["streams", "states", "shared"]
SPARES = (4, 2, 1)  # answers that are dead but not yet reused: fewer, where memory is short, cost time alone
_ROUNDED = 256  # cells of a stream are a multiple of it
_MOST_CHAINS = 61  # that `--chains` takes
_LONG = 4096  # tokens of an answer from which memory is told
_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Shape:
    """What is asked for. prompt, horizon: tokens. rows: asked for at a time. chains: that keep a state beside these.

    prompts: different ones that are answered at once. layout: of the memory; extra: sequences beside those.
    """

    prompt: int
    horizon: int
    rows: int
    chains: int
    prompts: int = 1
    layout: Layout = "shared"
    extra: int = 0

    def room(self, spare: int = SPARES[0]) -> tuple[int, int]:
        """Cells as a context counts them (of one sequence, or of all that share), and sequences."""
        rows = self.rows
        each = self.prompt + self.horizon
        if self.layout == "streams":
            return each, rows + self.chains
        if self.layout == "states":
            return each, rows + 1
        cells = self.prompt + (rows + self.chains + spare) * self.horizon + 64
        if self.prompts > 1:
            cells += self.prompts * self.prompt  # the others, and one that was just answered
        return cells, 4 * rows + 8

    def total(self, spare: int = SPARES[0]) -> int:
        """Cells of all sequences together."""
        cells, sequences = self.room(spare)
        if self.layout == "shared":
            return cells
        return -(-cells // _ROUNDED) * _ROUNDED * (sequences + self.extra)

    def of(self, chains: int) -> Shape:
        """The same for another number of chains, each of which asks for as many rows."""
        rows = -(-self.rows * chains // self.chains)
        prompts = chains if self.prompts > 1 else 1
        return Shape(self.prompt, self.horizon, rows, chains, prompts, self.layout, self.extra)


@dataclass(frozen=True, slots=True)
class CellsPlan:
    """cells: of all sequences. size, free: bytes that they take, and that are free. spare: as of `Shape.room`.

    fitting: most chains that fit what is free, as many as `--chains` takes at most; 0: not even one.
    """

    shape: Shape
    cells: int
    size: int
    free: int
    spare: int
    fitting: int

    @property
    def fits(self) -> bool:
        """Whether there is memory for it."""
        return self.size <= self.free

    @property
    def is_long(self) -> bool:
        """Whether it is worth a word before the work starts: long answers, or half of what is free."""
        return self.shape.horizon >= _LONG or 2 * self.size > self.free

    def words(self, option: str = "--chains") -> str:
        """For people, before the work starts. option: what sets the number of chains."""
        most = f"at most {option} {self.fitting} fits" if self.fitting else "not even one answer fits"
        if self.fitting >= _MOST_CHAINS:
            most = f"{option} {_MOST_CHAINS} fits too"
        return (
            f"answers of up to {self.shape.horizon:,} tokens after a prompt of {self.shape.prompt:,}: {self.cells:,} "
            f"cells of keys and values take {self.size / _GIB:.2f} GiB, {self.free / _GIB:.2f} GiB are free, {most}"
        )

    def hint(self) -> str:
        """What would fit, where this does not."""
        if self.fitting:
            return f"--chains {self.fitting} fits (for an eval, --parallel {self.fitting})"
        return "a smaller --max-tokens, and less prefetch, particles or n of the method, need less memory"


def plan(shape: Shape, cell_bytes: int, free: int, *, tight: bool = False) -> CellsPlan:
    """With as many spare answers as fit; tight: with the fewest, for memory is dearer than time."""
    spares = SPARES[-1:] if tight else SPARES
    spare = next((each for each in spares if shape.total(each) * cell_bytes <= free), spares[0])
    least = SPARES[-1]
    fitting = next(
        (n for n in range(_MOST_CHAINS, 0, -1) if shape.of(n).total(least) * cell_bytes <= free), 0
    )
    cells = shape.total(spare)
    return CellsPlan(shape, cells, cells * cell_bytes, free, spare, fitting)
