"""A report as tables: for a terminal, or as Markdown. Numbers are spelled in one place for both."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from localpower.ui.shares import p_value
from localpower.ui.view import one_line

Report = dict[str, Any]
Cells = tuple[tuple[str, ...], list[list[str]]]  # heads, rows
_LEAST = (  # columns that are left out where there is no room for them
    *("s/answer", "tokens", "cut off", "loops", "no answer", "better on", "worse on", "quartiles"),
    *("distinct texts", ""),
)
_BARS = " ▁▂▃▄▅▆▇█"
_GROUPS = (
    *("method", "problems", "accuracy", "95 %", "no answer", "cut off", "loops", "tokens", "drawn", "cost"),
    "s/answer",
)
_TOOLS = (
    *("method", "calls", "bad calls", "turns that call", "answers that call", "calls again"),
    *("observed", "s outside"),
)
_PAIRS = ("pair", "difference", "95 %", "better on", "worse on", "p", "problems needed")


def group_cells(groups: Sequence[Report]) -> Cells:
    """Heads and rows of a task's groups."""
    rows = []
    several = any(group["n_samples"] > 1 for group in groups)
    thoughts = any(group["thinking_per_answer"] is not None for group in groups)
    for group in groups:
        problems = str(group["n_items"]) + (f" x {group['n_samples']}" if several else "")
        rows.append(
            [
                group["label"],
                problems,
                *_interval(group["accuracy"]),
                _percent(group["none_share"]),
                _percent(group["cut_share"]),
                _percent(group["loops_share"]),
                f"{group['tokens_per_answer']:.0f}",
                *([f"{group['thinking_per_answer'] or 0:.0f}"] if thoughts else []),
                f"{group['decoded_per_answer']:.0f}",
                "" if group["cost_multiple"] is None else f"{group['cost_multiple']:.1f}x",
                f"{group['seconds_per_answer']:.2g}",
            ]
        )
    at = _GROUPS.index("tokens") + 1
    return (*_GROUPS[:at], *(["thought"] if thoughts else []), *_GROUPS[at:]), rows


def pair_cells(pairs: Sequence[Report]) -> Cells:
    """Heads and rows of a task's pairs."""
    rows = [
        [
            f"{pair['second']} - {pair['first']}",
            f"{100 * pair['difference']['value']:+.1f}",
            f"{100 * pair['difference']['low']:+.1f} to {100 * pair['difference']['high']:+.1f}",
            str(pair["only_second"]),
            str(pair["only_first"]),
            p_value(pair["p"]),
            "" if pair["items_needed"] is None else f"{pair['items_needed']:,}",
        ]
        for pair in pairs
    ]
    return _PAIRS, rows


def pass_cells(groups: Sequence[Report]) -> Cells | None:
    """pass@k of a task's groups, and how many answers differ; None where there is one sample of each."""
    ks = sorted({point["k"] for group in groups for point in group["pass_at"]})
    if not ks:
        return None
    rows = []
    for group in groups:
        curve = {point["k"]: point for point in group["pass_at"]}
        cells = [" ".join(_interval(curve[k])) if k in curve else "" for k in ks]
        rows.append([group["label"], *cells, _percent(group["distinct"]), _percent(group["distinct_texts"])])
    return ("method", *(f"pass@{k}" for k in ks), "distinct answers", "distinct texts"), rows


def tool_cells(groups: Sequence[Report]) -> list[Cells]:
    """What a task's groups did with tools, and PASS@(k, T); nothing where no answer is a trace."""
    used = [(group["label"], group["tools"]) for group in groups if group["tools"]]
    if not used:
        return []
    rows = [
        [
            label,
            f"{tools['calls']:.1f}",
            _percent(tools["bad_calls"]),
            _percent(tools["valid_turns"]),
            _percent(tools["valid_answers"]),
            f"{tools['replayed']:.1f}",
            f"{tools['observation_tokens']:.0f}",
            f"{tools['seconds_outside']:.2g}",
        ]
        for label, tools in used
    ]
    found: list[Cells] = [(_TOOLS, rows)]
    ks = sorted({point["k"] for _, tools in used for point in tools["pass_at"]})
    by_limit = []
    for label, tools in used:
        known = {(point["k"], point["rounds"]): point for point in tools["pass_at"]}
        for limit in sorted({point["rounds"] for point in tools["pass_at"]}):
            cells = [" ".join(_interval(known[k, limit])) if (k, limit) in known else "" for k in ks]
            by_limit.append([label, str(limit), *cells])
    if by_limit:
        found.append((("method", "rounds", *(f"pass@{k}" for k in ks)), by_limit))
    return found


def terminal(report: Report, width: int) -> RenderableType:
    """The whole report for a terminal; of tables that are too wide some columns are left out."""
    parts: list[RenderableType] = []
    for name, task in report["tasks"].items():
        parts.append(Text(one_line(name), style="bold"))
        for heads, rows in sections(task):
            parts += [table_of(*fitted(heads, rows, width)), Text()]
        parts += [Text(one_line(f"note: {note}")) for note in task["notes"]]
        parts.append(Text())
    return Group(*parts[:-1])


def fitted(heads: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Cells:
    """Without the least columns, as many as it takes; the first column may be folded to a third of the width."""
    columns = list(zip(heads, *rows, strict=True))
    needs = [max(map(len, column)) + 2 for column in columns]
    needs[0] = min(needs[0], width // 3)
    kept = set(range(len(columns)))
    for least in _LEAST:
        for i, head in enumerate(heads):
            if head == least and sum(needs[k] for k in kept) > width:
                kept.discard(i)
    left = [columns[k] for k in sorted(kept)]
    return tuple(column[0] for column in left), [
        list(row) for row in zip(*(c[1:] for c in left), strict=True)
    ]


def markdown(report: Report) -> str:
    """The whole report as Markdown."""
    lines: list[str] = []
    for name, task in report["tasks"].items():
        lines += [f"## {escaped(name)}", ""]
        for heads, rows in sections(task):
            lines += [*markdown_table(heads, rows), ""]
        lines += [f"- {escaped(note)}" for note in task["notes"]]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def sections(task: Report) -> list[Cells]:
    """The tables of a task: heads and rows of each."""
    groups = task["groups"]
    found = [
        group_cells(groups),
        pass_cells(groups),
        *tool_cells(groups),
        pair_cells(task["pairs"]) if task["pairs"] else None,
        judged_cells(task["judged"]) if task["judged"] else None,
        likelihood_cells(task["likelihood"]),
    ]
    return [cells for cells in found if cells is not None]


def likelihood_cells(likelihood: Sequence[Report]) -> Cells | None:
    """How likely answers are and how sure their model was, nats a token; bars on common bins, from the least up."""
    known = [each for each in likelihood if each["log_p"] is not None]
    if not known:
        return None
    rows = [
        [each["label"], *(cell for name in ("log_p", "confidence") for cell in _spread(each[name]))]
        for each in known
    ]
    return ("method", "log p a token", "quartiles", "", "confidence", "quartiles", ""), rows


def _spread(found: Report) -> list[str]:
    low, _, high = found["quartiles"]
    counts = [sum(found["counts"][i : i + 2]) for i in range(0, len(found["counts"]), 2)]
    bars = "".join(_BARS[-(-count * (len(_BARS) - 1) // max(counts))] for count in counts)
    return [f"{found['mean']:.2f}", f"{low:.2f} to {high:.2f}", bars]


def judged_cells(judged: Sequence[Report]) -> Cells:
    """Local judges' win rates."""
    rows = [
        [
            f"{each['label']} over {each['against']}, says {each['judge']}",
            str(each["n"]),
            *(" ".join(_interval(each[x])) if each[x] else "" for x in ("raw", "length_controlled")),
            str(each["n_ties"]),
            str(each["n_dropped"]),
            f"{100 * each['position_bias']:+.0f}",
            f"{each['length_ours']:.0f} / {each['length_theirs']:.0f}",
        ]
        for each in judged
    ]
    return ("local judge", "n", "wins %", "at equal length %", "ties", "dropped", "bias", "characters"), rows


def table_of(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """For a terminal: the first column to the left, the others to the right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for i, head in enumerate(heads):
        table.add_column(head, justify="left" if i == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(one_line(cell)) for cell in row))
    return table


def markdown_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Its lines."""
    found = ([escaped(cell) for cell in row] for row in (heads, *rows))
    first, *others = (f"| {' | '.join(row)} |" for row in found)
    return [first, f"| {' | '.join(['---'] * len(heads))} |", *others]


def escaped(text: str) -> str:
    """Of a label or note: no bar, markup or control character."""
    text = re.sub(r"([\\|`*_\[])", r"\\\1", one_line(text))
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"


def _interval(value: Report | None) -> tuple[str, str]:
    if value is None:
        return "not graded", ""
    return f"{100 * value['value']:.1f}", f"{100 * value['low']:.1f} to {100 * value['high']:.1f}"
