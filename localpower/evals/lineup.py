"""Every way in which either model's answers were drawn, one line each: what it solves, for which tokens, how surely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from localpower.evals.bootstrap import difference_intervals, mean_intervals, resampled_means
from localpower.evals.contest import Entry
from localpower.evals.coverage import pass_at_tokens
from localpower.evals.crossed import Likelihood
from localpower.evals.likelihood import drawn
from localpower.evals.pairing import doublings
from localpower.evals.samples import Samples, most_used
from localpower.statistics import Interval, percentiles


@dataclass(frozen=True, slots=True)
class AtK:
    """pass@k."""

    k: int
    passed: Interval


@dataclass(frozen=True, slots=True)
class AtTokens:
    """pass@k for the tokens of `multiple` plain answers of the base: `tokens`, which buy k samples on average."""

    multiple: int
    tokens: float
    k: float
    passed: Interval


@dataclass(frozen=True, slots=True)
class Beside:
    """The answers of one entry minus those of another, on the problems of both: pass@1 and pass@k."""

    n_problems: int
    one: Interval
    k: int
    most: Interval


@dataclass(frozen=True, slots=True)
class Line:
    """What one entry's answers are. tokens: drawn for a sample, rejected ones too. entropy: nats a token, own model's.

    k: samples that `distinct_answers` and `distinct_texts` are expected among. beside: the tuned model's plain
    answers minus these; None of themselves.
    under_base, under_tuned: log p of its answers; None: they were not read.
    """

    name: str
    label: str
    tuned: bool
    method: str
    cue: str | None
    n_problems: int
    n_samples: int
    passes: tuple[AtK, ...]
    tokens: float
    budgets: tuple[AtTokens, ...]
    beside: Beside | None
    none_share: float
    cut_share: float
    entropy: float | None
    k: int
    distinct_answers: float
    distinct_texts: float
    under_base: Likelihood | None
    under_tuned: Likelihood | None


@dataclass(frozen=True, slots=True)
class Known:
    """An entry with its graded answers to the problems of the contest. names: those with `most` samples at least."""

    entry: Entry
    samples: Samples
    names: tuple[str, ...]
    most: int


def known(entry: Entry, samples: Samples, names: Sequence[str]) -> Known | None:
    """None where it has no graded answer to any of the problems."""
    mine = [name for name in names if name in samples.right]
    if not mine:
        return None
    sizes = samples.sizes(mine)
    most = most_used(sizes)
    return Known(entry, samples, tuple(np.array(mine, object)[sizes >= most]), most)


def line(
    one: Known, tuned: Known, budget: float, n_budgets: int, k: int, under: Sequence[Likelihood | None]
) -> Line:
    """budget: tokens of a plain answer of the base; 1, 2, 4, ... to n_budgets times as many are spent.

    k: samples that distinct answers are expected among. under: log p of its answers under the base and under the tuned
    model.
    """
    entry, samples, names = one.entry, one.samples, one.names
    table = samples.table(names, one.most)
    ks = doublings(one.most)
    sure = [
        fmean(entropies)
        for name in names
        for row in samples.rows[name]
        if (entropies := drawn(row, row["token_entropy"]))
    ]
    return Line(
        name=entry.name,
        label=entry.group.label,
        tuned=entry.tuned,
        method=entry.method,
        cue=entry.cue,
        n_problems=len(names),
        n_samples=one.most,
        passes=tuple(map(AtK, ks, mean_intervals(table[:, [k - 1 for k in ks]]))),
        tokens=float(samples.costs(names).mean()),
        budgets=_budgets(one, budget, n_budgets),
        beside=None if one is tuned else beside(one, tuned),
        none_share=samples.share(names, "verdict", "none"),
        cut_share=samples.share(names, "finish", "length", "turns"),
        entropy=fmean(sure) if sure else None,
        k=k,
        distinct_answers=samples.distinct(names, "extracted", k),
        distinct_texts=samples.distinct(names, "tokens", k),
        under_base=under[0],
        under_tuned=under[1],
    )


def _budgets(one: Known, budget: float, n_budgets: int) -> tuple[AtTokens, ...]:
    """Where the tokens buy at least one sample, and no more than there are. The bootstrap is over the costs as well."""
    costs = one.samples.costs(one.names)
    cost = float(costs.mean())
    table = one.samples.table(one.names, one.most)
    again = resampled_means(np.column_stack((table, costs)))
    curves, prices = again[:, :-1], again[:, -1]
    found = []
    for multiple in doublings(n_budgets):
        tokens = multiple * budget
        if cost and 1.0 - 1e-9 <= tokens / cost <= one.most + 1e-9:
            value = float(pass_at_tokens(table.mean(axis=0), cost, min(tokens, one.most * cost)))
            resampled = pass_at_tokens(curves, prices, np.minimum(tokens, one.most * prices))
            found.append(AtTokens(multiple, tokens, tokens / cost, percentiles(value, resampled)))
    return tuple(found)


def beside(one: Known, other: Known) -> Beside | None:
    """other - one; None where no problem has samples of both."""
    there = set(other.names)
    shared = [name for name in one.names if name in there]
    if not shared:
        return None
    k = min(one.most, other.most)
    tables = [each.samples.table(shared, k)[:, [0, k - 1]] for each in (one, other)]
    first, most = difference_intervals(*tables)
    return Beside(len(shared), first, k, most)
