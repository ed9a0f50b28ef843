"""The rows of the bench: what each samples with, and what it may remember."""

from __future__ import annotations

from dataclasses import dataclass, replace

from localpower.samplers import Ancestral, PowerMH, Sampler
from localpower.samplers.acceptance import PLAIN_STEP
from localpower.samplers.cuts import CutLaw, UniformCuts, cut_law
from localpower.samplers.kernel import ALL_OPTIMIZATIONS, Optimizations

RAW = (1, 2, 4, 8, 16)
_NONE = Optimizations(skip=False, early=False)


@dataclass(frozen=True, slots=True)
class BenchRow:
    """forget: the engine's memory is emptied before every proposal, as published implementations run.

    prompts: on how many of the first prompts it is measured; 0: on all. turns: how often, each with a seed of its own.
    beside: rows of the bare loop that is run just before and just after, for a machine may change its speed.
    """

    name: str
    sampler: Sampler
    chains: int = 1
    forget: bool = False
    prompts: int = 0
    turns: int = 1
    beside: int = 0


@dataclass(frozen=True, slots=True)
class Size:
    """Horizon, block and steps of the rows that are compared, how many prompts, and tokens of a bare loop."""

    max_tokens: int
    block: int
    steps: int
    prompts: int
    raw_tokens: int


QUICK = Size(64, 16, 4, 2, 12)
WALL = Size(128, 32, 4, 3, 48)
TOKENS = Size(256, 16, 10, 10, 0)


def rows(size: Size, alpha: float, usual: float, *, ahead: bool) -> list[BenchRow]:
    """All rows that run a sampler; mh-fresh, mh-reuse and mh differ in nothing but what they may reuse.

    alpha: of the rows that are compared; usual: the model's own, of what `run` does unless told otherwise. ahead:
    whether the engine takes drafts.
    """

    def chain(
        cuts: CutLaw, optimizations: Optimizations = ALL_OPTIMIZATIONS
    ) -> PowerMH:  # whose every token is drawn from q, as published
        return PowerMH(
            alpha,
            1 / alpha,
            size.max_tokens,
            size.block,
            size.steps,
            cuts,
            optimizations=optimizations,
            variant=PLAIN_STEP,
        )

    default = PowerMH(usual, 1 / usual, size.max_tokens, size.max_tokens, 5)
    table = [
        BenchRow("base", Ancestral("base", 1.0, size.max_tokens), turns=3, beside=1),
        BenchRow("mh-fresh", chain(UniformCuts(), _NONE), forget=True),
        BenchRow("mh-reuse", chain(UniformCuts(), _NONE)),
        BenchRow("mh", chain(UniformCuts())),
        BenchRow("default", default),
    ]

    def early(max_tokens: int, prompts: int) -> list[BenchRow]:
        plain = replace(chain(UniformCuts()), max_tokens=max_tokens)
        drafts = [BenchRow("drafts-on", replace(plain, drafts="on"), prompts=prompts)] if ahead else []
        return [BenchRow("prefetch-4", replace(plain, prefetch=4), prompts=prompts), *drafts]

    if size is QUICK:
        half = size.max_tokens // 2
        return [
            *table,
            BenchRow("chains-8", replace(default, max_tokens=half), 8, prompts=1, beside=8),
            *early(half, 1),
        ]
    laws = [BenchRow(f"cuts-{name}", chain(cut_law(name))) for name in ("restart", "entropy")]
    return [
        *table,
        BenchRow("chains-8", default, chains=8, beside=8),
        *laws,
        *early(size.max_tokens, 0),
    ]


def token_rows(size: Size, alpha: float) -> list[BenchRow]:
    """The two that are compared by tokens alone, at the paper's own schedule."""
    return [row for row in rows(size, alpha, alpha, ahead=False) if row.name in ("mh", "mh-reuse")]
