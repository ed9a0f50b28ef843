"""What else might explain a difference between a base and a tuned model: a sentence for each that applies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from localpower.evals.contest import Contest, Entry
from localpower.evals.differing import difference_note
from localpower.evals.lineup import Line
from localpower.evals.pairing import Pair

_CUT = 0.01  # share of answers cut off from which on it is told
_DEARER = 1.1  # times the tokens from which on it is told


def rivals(
    who: Contest, base: Entry, tuned: Entry, others: Sequence[Entry], lines: Sequence[Line], found: Pair
) -> list[str]:
    """base, tuned: the plain entries. others: those that are compared with them. lines: of all entries."""
    plain = {line.tuned: line for line in lines if line.name in (base.name, tuned.name)}
    notes = [*_cut(plain[False], plain[True], tuned), *_prompts(who, base, tuned), *_files(who, base, tuned)]
    notes += _numbers(plain[False], plain[True], found)
    held = [base, tuned, *(entry for entry in others if entry.cue is None)]
    return notes + difference_note([entry.group for entry in held])


def _cut(base: Line, tuned: Line, entry: Entry) -> list[str]:
    """Truncation."""
    if max(base.cut_share, tuned.cut_share) < _CUT:
        return []
    limit = entry.group.run.settings["tasks"][entry.group.task].get("max_tokens")
    where = f" at {limit} tokens" if limit else ""
    return [
        f"truncation: {_percent(base.cut_share)} of the base's and {_percent(tuned.cut_share)} of the tuned model's "
        f"plain answers were cut off{where} before they ended; with more room some of them would be correct"
    ]


def _prompts(who: Contest, base: Entry, tuned: Entry) -> list[str]:
    """Templates that differ."""
    first, second = (_prompt(entry) for entry in (base, tuned))
    shared = first.keys() & second.keys()
    parts = ("chat", "stops")
    ways = {name for name in shared if any(first[name].get(p) != second[name].get(p) for p in parts)}
    if ways:
        some = first[min(ways)], second[min(ways)]
        told = [f"{who.base} {_way(some[0])}", f"{who.tuned} {_way(some[1])}"]
        return [f"prompts: {' and '.join(told)}: a model may be better at one of these than at the other"]
    if any(first[name].get("sha256") != second[name].get("sha256") for name in shared):
        return [
            "prompts: the two models read different tokens (another template, another vocabulary, or other texts)"
        ]
    return []


def _prompt(entry: Entry) -> dict[str, dict[str, Any]]:
    group = entry.group
    return {name: group.run.problems[group.task, name]["prompts"][group.model] for name in group.items}


def _way(prompt: dict[str, Any]) -> str:
    stops = f" with {len(prompt['stops'])} stops" if prompt["stops"] else " without stops"
    return f"is asked {'through its chat template' if prompt['chat'] else 'in plain text'}{stops}"


def _files(who: Contest, base: Entry, tuned: Entry) -> list[str]:
    """Quantizations that differ."""
    groups = (base.group, tuned.group)
    first, second = (each.run.settings["models"][each.model].get("quantization") for each in groups)
    if first == second:
        return []
    return [f"files: {who.base} is {first} and {who.tuned} is {second}: a coarser file is a weaker model"]


def _numbers(base: Line, tuned: Line, found: Pair) -> list[str]:
    """Unequal n and unequal compute."""
    notes = []
    if base.n_samples != tuned.n_samples:
        notes.append(
            f"unequal samples: {base.n_samples} of the base and {tuned.n_samples} of the tuned model for a problem; "
            f"solved sets, Cover@tau and the tax are of the first {found.k} of both"
        )
    ratio = found.tokens[1] / found.tokens[0] if found.tokens[0] else 1.0
    if not 1 / _DEARER <= ratio <= _DEARER:
        notes.append(
            f"unequal compute: a plain answer of the tuned model takes {ratio:.2f} times the tokens of the base's "
            f"({found.tokens[1]:.0f} against {found.tokens[0]:.0f}): see pass@k at equal tokens"
        )
    return notes


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
