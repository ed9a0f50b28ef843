"""A sharpening report as tables with a sentence on each: what a terminal, Markdown and the page show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from localpower.evals.contest import Contest
from localpower.evals.crossed import Likelihood
from localpower.evals.divergence import Divergence
from localpower.evals.lineup import Line
from localpower.evals.overlap import SolvedSets
from localpower.evals.pairing import Pair
from localpower.evals.sharpness import TaskSharpening
from localpower.statistics import Interval
from localpower.ui.crossings import at_sample, at_token, crossed
from localpower.ui.shares import (
    gap_long,
    gap_short,
    p_value,
    rounded,
    share_bare,
    share_long,
    share_short,
    some,
)

_IDS = 12  # problems that are named in a line


@dataclass(frozen=True, slots=True)
class Section:
    """A table. words: what it holds, and what follows from it in sentences; they stand above it."""

    title: str
    words: tuple[str, ...]
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def sections_of(who: Contest, task: TaskSharpening) -> list[Section]:
    """All tables of a task, the answer to the question first."""
    found = [
        _beside(task),
        _at_k(task),
        _at_tokens(task),
        _solved(task),
        _cover(task.pair),
        _strata(task),
        _tax(task.pair),
        _likelihoods(who, task.lines),
        _divergences(who, task),
        _variety(task.lines),
    ]
    return [section for section in found if section is not None and section.rows]


def _beside(task: TaskSharpening) -> Section:
    sizes = {line.name: f"{line.n_problems} problems x {line.n_samples} answers" for line in task.lines}
    alike = len(set(sizes.values())) == 1
    rows = []
    for line in task.lines:
        most, beside = line.passes[-1], line.beside
        rows.append(
            (
                line.name,
                *(() if alike else (sizes[line.name].replace(" problems", "").replace(" answers", ""),)),
                f"{line.tokens:.0f}",
                share_long(line.passes[0].passed),
                gap_long(beside.one) if beside else "",
                share_short(most.passed),
                gap_short(beside.most) if beside else "",
            )
        )
    words = (
        "Each way of drawing answers: tokens drawn for an answer (rejected ones too), pass@1 and pass@k in % (95 %), "
        "and after each the plain answers of the tuned model minus it, in points.",
        f"{sizes[task.base]}."
        if alike
        else "Where numbers of answers differ, pass@k is of the smaller one in a difference.",
    )
    last = f"pass@{task.lines[0].passes[-1].k}" if alike else "pass@k"
    heads = (
        "answers",
        *(() if alike else ("problems",)),
        "drawn",
        "pass@1",
        "tuned minus it",
        last,
        "tuned minus it",
    )
    return Section("The tuned model beside the sharpened base", words, heads, tuple(rows))


def _shares(line: Line, known: dict[int, Interval], at: Sequence[int]) -> tuple[str, ...]:
    return (line.name, *(share_short(known[x]) if x in known else "" for x in at))


def _at_k(task: TaskSharpening) -> Section | None:
    ks = some(sorted({each.k for line in task.lines for each in line.passes}))
    if len(ks) < 2:
        return None
    rows = [_shares(line, {each.k: each.passed for each in line.passes}, ks) for line in task.lines]
    last, null = task.pair.passes[-1], task.null
    words = (
        "Chance in % that at least one of k answers is correct (95 %), at equal numbers of answers.",
        f"Plain answers, base against tuned: {crossed(task.pair.crossings, at_sample)}; at k = "
        f"{last.at:.0f} tuned minus base is {gap_long(last.difference)} points.",
        *([f"{null.name} against tuned, plain: {crossed(null.crossings, at_sample)}."] if null else []),
    )
    return Section("pass@k at equal k", words, ("answers", *(f"pass@{k}" for k in ks)), tuple(rows))


def _at_tokens(task: TaskSharpening) -> Section | None:
    spent = {each.multiple: each.tokens for line in task.lines for each in line.budgets}
    multiples = some(sorted(spent))
    if len(multiples) < 2:
        return None
    rows = [
        _shares(line, {each.multiple: each.passed for each in line.budgets}, multiples) for line in task.lines
    ]
    pair, null = task.pair, task.null
    words = (
        "The same at equal numbers of drawn tokens for a problem: those of 1, 2, 4, ... plain answers of the base. "
        "They buy tokens / (tokens of an answer) answers on average. Empty: less than one answer, or more than there "
        "are.",
        f"Plain answers, base against tuned: {crossed(pair.token_crossings, at_token)}.",
        *([f"{null.name} against tuned, plain: {crossed(null.token_crossings, at_token)}."] if null else []),
    )
    heads = ("answers", *(f"{spent[multiple]:.0f} tokens" for multiple in multiples))
    return Section("pass@k at equal tokens", words, heads, tuple(rows))


def _solved(task: TaskSharpening) -> Section:
    solved = task.pair.solved
    words = [
        f"Problems by who solves them with {solved.k} plain answers; p by the exact McNemar test. One that is not "
        f"solved may still have a success rate of {100 * solved.missed:.0f} %, which is missed once in 20 times.",
        *(f"{side} alone: {_ids(names)}." for side, names in _alone(task.pair) if names),
    ]
    rows = [_sets(f"tuned against {task.base}", solved)]
    if task.null is not None:
        k = task.null.solved.k
        rows.append(
            _sets(f"tuned against {task.null.name}{'' if k == solved.k else f' (k = {k})'}", task.null.solved)
        )
    heads = ("solved by", "both", "tuned alone", "base alone", "neither", "p")
    return Section("Solved sets", tuple(words), heads, tuple(rows))


def _sets(name: str, solved: SolvedSets) -> tuple[str, ...]:
    counts = (solved.both, len(solved.tuned_only), len(solved.base_only), solved.neither)
    return (name, *map(str, counts), p_value(solved.p))


def _alone(pair: Pair) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return ("Tuned", pair.solved.tuned_only), ("Base", pair.solved.base_only)


def _ids(names: Sequence[str]) -> str:
    more = len(names) - _IDS
    return " · ".join(names[:_IDS]) + (f" and {more} more" if more > 0 else "")


def _cover(pair: Pair) -> Section:
    rows = [
        (
            f"{100 * point.at:.0f} %",
            share_long(point.base),
            share_long(point.tuned),
            gap_long(point.difference),
        )
        for point in pair.cover
    ]
    words = (
        f"Share of problems in % that are solved by at least tau of {pair.k} plain answers. Few answers blur it.",
    )
    return Section("Cover@tau", words, ("tau", "base", "tuned", "tuned minus base"), tuple(rows))


def _strata(task: TaskSharpening) -> Section:
    rows = []
    for each in task.strata:
        one, most, solved = each.pair.passes[0], each.pair.passes[-1], each.pair.solved
        rate = str(each.low) if each.low == each.high else f"{each.low} to {each.high}"
        rows.append(
            (
                f"{rate} of {each.of}",
                str(each.pair.n_problems),
                share_bare(one.base),
                share_bare(one.tuned),
                gap_short(one.difference),
                share_bare(most.base),
                share_bare(most.tuned),
                gap_short(most.difference),
                f"{len(solved.tuned_only)} / {len(solved.base_only)}",
            )
        )
    k = task.strata[0].pair.k if task.strata else 0
    words = (
        "Quartiles of problems by the base's correct answers. One half of the base's answers chooses the quartile, the "
        "other half, of both models, is compared: problems chosen for their luck would show it again. @k: pass@k in "
        "%. Alone: problems solved by the tuned model alone / by the base alone.",
    )
    heads = ("base right in", "n", "base @1", "tuned @1", "difference")
    more = (f"base @{k}", f"tuned @{k}", "difference", "alone")
    return Section("By the base's pass rate", words, (*heads, *more), tuple(rows))


def _tax(pair: Pair) -> Section | None:
    tax = pair.tax
    if tax is None:
        return None
    words = (
        f"S({tax.k}): how much of what more answers could bring they do bring, from 0 to 1. The tax is what tuning "
        "took of it (arXiv 2610.01509).",
    )
    value, low, high = (rounded(each, 2) for each in tax.tax)
    row = (f"{value:+.2f} ({low:+.2f} to {high:+.2f})",)
    sides = tuple(f"{each.value:.2f} ({each.low:.2f} to {each.high:.2f})" for each in (tax.base, tax.tuned))
    return Section(
        "Sharpening tax", words, (f"S({tax.k})", "base", "tuned", "tax"), (("plain answers", *sides, *row),)
    )


def _likelihoods(who: Contest, lines: Sequence[Line]) -> Section | None:
    if not any(line.under_base or line.under_tuned for line in lines):
        return None
    rows = [
        (
            line.name,
            *_nats(line.under_base),
            *_nats(line.under_tuned),
            "" if line.entropy is None else f"{line.entropy:.2f}",
        )
        for line in lines
    ]
    words = (
        f"Mean log p of answers, and of their tokens, under {who.base} (base) and {who.tuned} (tuned), in nats; mean "
        "entropy of the next token under the model that wrote them.",
    )
    heads = ("answers", "base: answer", "token", "tuned: answer", "token", "entropy")
    return Section("Log-likelihood under each model", words, heads, tuple(rows))


def _nats(found: Likelihood | None) -> tuple[str, str]:
    return ("", "") if found is None else (f"{found.per_answer:.2f}", f"{found.per_token:.3f}")


def _divergences(who: Contest, task: TaskSharpening) -> Section:
    told = (
        (f"KL({who.base} || {who.tuned})", task.base, task.kl_from_base),
        (f"KL({who.tuned} || {who.base})", task.tuned, task.kl_from_tuned),
    )
    rows = [(name, source, *_divergence(found)) for name, source, found in told if found is not None]
    words = (
        "How far apart the models are over whole answers, in nats, from plain answers of the first one. Answers at a "
        "low temperature, by a sampler, by choice, or after a cue are no draws from a model: they are left out.",
    )
    heads = ("divergence", "from", "nats an answer", "standard error", "nats a token", "answers")
    return Section("Divergence", words, heads, tuple(rows))


def _divergence(found: Divergence) -> tuple[str, str, str, str]:
    error = "" if found.error is None else f"{found.error:.2f}"
    return f"{found.per_answer:.2f}", error, f"{found.per_token:.3f}", str(found.n)


def _variety(lines: Sequence[Line]) -> Section:
    k = lines[0].k
    rows = [
        (
            line.name,
            f"{line.distinct_answers:.2f}",
            f"{line.distinct_texts:.2f}",
            f"{100 * line.none_share:.0f} %",
            f"{100 * line.cut_share:.0f} %",
        )
        for line in lines
    ]
    words = (
        f"Different answers and texts expected among {k} of a problem, and answers that come to nothing.",
    )
    heads = ("answers", f"distinct answers in {k}", f"distinct texts in {k}", "no answer", "cut off")
    return Section("Variety", words, heads, tuple(rows))
