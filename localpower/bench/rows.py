"""The rows of the bench: what each samples with, and what it may remember."""

from __future__ import annotations

from dataclasses import dataclass

from localpower.samplers import Ancestral, PowerMH, Sampler
from localpower.samplers.cuts import CutLaw, UniformCuts, cut_law
from localpower.samplers.mh import ALL_SAVERS, Savers

RAW = (1, 2, 4, 8, 16)
_NONE = Savers(skip=False, early=False)


@dataclass(frozen=True, slots=True)
class Row:
    """forget: the engine's memory is emptied before every proposal, as published implementations run."""

    name: str
    sampler: Sampler
    chains: int = 1
    forget: bool = False


@dataclass(frozen=True, slots=True)
class Size:
    """Horizon, block and steps of the rows that are compared, and how many prompts."""

    max_tokens: int
    block: int
    steps: int
    prompts: int


QUICK = Size(64, 16, 4, 2)
WALL = Size(128, 32, 4, 3)
TOKENS = Size(256, 16, 10, 10)


def rows(size: Size, alpha: float) -> list[Row]:
    """All rows that run a sampler; mh-fresh, mh-reuse and mh differ in nothing but what they may reuse."""

    def chain(cuts: CutLaw, savers: Savers = ALL_SAVERS) -> PowerMH:
        return PowerMH(alpha, 1 / alpha, size.max_tokens, size.block, size.steps, cuts, savers=savers)

    default = PowerMH(alpha, 1 / alpha, size.max_tokens, -(-size.max_tokens // 4), 5)
    return [
        Row("base", Ancestral("base", 1.0, size.max_tokens)),
        Row("mh-fresh", chain(UniformCuts(), _NONE), forget=True),
        Row("mh-reuse", chain(UniformCuts(), _NONE)),
        Row("mh", chain(UniformCuts())),
        Row("default", default),
        Row("chains-8", default, chains=8),
        *(Row(f"cuts-{name}", chain(cut_law(name))) for name in ("early", "restart", "entropy")),
    ]


def token_rows(size: Size, alpha: float) -> list[Row]:
    """The two that are compared by tokens alone, at the paper's own schedule."""
    return [row for row in rows(size, alpha) if row.name in ("mh", "mh-reuse")]
