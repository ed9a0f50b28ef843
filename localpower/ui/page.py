"""A report as one self-contained page: the tables, and every answer beside the others to its problem."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any, Protocol

from localpower.ui.tables import sections
from localpower.ui.view import harmless

_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:90em;padding:0 1em;color:#222;background:#fff}
table{border-collapse:collapse;margin:.8em 0}td,th{padding:.2em .7em;text-align:right;border-bottom:1px solid #ddd}
td:first-child,th:first-child{text-align:left}summary{cursor:pointer;padding:.3em 0}
.answers{display:grid;grid-template-columns:repeat(auto-fit,minmax(22em,1fr));gap:1em}
.answer{border-left:4px solid #aaa;padding:.1em .8em;background:#f7f7f7;overflow:auto}
.right{border-color:#2a7}.wrong{border-color:#c43}.none{border-color:#c90}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font:13px/1.4 ui-monospace,monospace;margin:.4em 0}
.small{color:#666;font-size:13px}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}.answer{background:#222}td,th{border-color:#444}.small{color:#aaa}}
"""

Report = dict[str, Any]


class Run(Protocol):
    """What a page needs of a stored run."""

    @property
    def problems(self) -> dict[tuple[str, str], Report]:
        """By task and id."""

    @property
    def rows(self) -> list[Report]:
        """The answers."""


def escape(text: str) -> str:
    """Text that is neither markup nor obeyed as a control character."""
    return html.escape(harmless(text))


def page(report: Report, runs: Sequence[Run]) -> str:
    """The whole page. Texts of models and problems are escaped: nothing of them is markup."""
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        f"<title>localpower compare</title><style>{_STYLE}</style><h1>localpower compare</h1>",
        *(
            f'<p class="small">{escape(run["path"])}: {escape(_words(run["settings"]))}</p>'
            for run in report["runs"]
        ),
    ]
    for name, task in report["tasks"].items():
        parts.append(f"<h2>{escape(name)}</h2>")
        for heads, rows in sections(task):
            parts.append(_table(heads, rows))
        parts += [f"<p>{escape(note)}</p>" for note in task["notes"]]
        parts += _answers(name, runs, len(report["runs"]) > 1)
    return "\n".join(parts) + "\n</html>\n"


def _words(settings: Report) -> str:
    models = ", ".join(f"{label} ({model['quantization']})" for label, model in settings["models"].items())
    return f"{models} · seed {settings['seed']} · prompt {settings['prompt']} · begun {settings['created']}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(head)}" for head in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}" for cell in row) for row in rows)
    return f"<table><tr>{top}{body}</table>"


def _answers(task: str, runs: Sequence[Run], several: bool) -> list[str]:
    """Every problem of a task, folded, with its answers."""
    items: dict[str, list[tuple[str, Report]]] = {}
    problems: dict[str, Report] = {}
    for i, run in enumerate(runs):
        for row in run.rows:
            if row["task"] == task:
                label = f"run {i + 1} · {row['method']}" if several else row["method"]
                items.setdefault(row["id"], []).append((label, row))
                problems[row["id"]] = run.problems[task, row["id"]]
    return [_item(name, problems[name], answers) for name, answers in items.items()]


def _item(name: str, problem: Report, answers: Sequence[tuple[str, Report]]) -> str:
    marks = "".join({"right": "✓", "wrong": "✗", "none": "∅"}.get(row["verdict"], "·") for _, row in answers)
    question = problem["question"] if problem["question"] is not None else "(not stored)"
    boxes = "".join(
        _box(label, row) for label, row in sorted(answers, key=lambda pair: (pair[0], pair[1]["sample"]))
    )
    return (
        f"<details><summary>{escape(name)} <span class=small>{marks}</span></summary>"
        f"<pre>{escape(question)}</pre><p class=small>gold: {escape(_gold(problem['gold']))}</p>"
        f"<div class=answers>{boxes}</div></details>"
    )


def _box(label: str, row: Report) -> str:
    known = [label, row["model"], f"sample {row['sample']}", row["verdict"]]
    if row["extracted"] is not None:
        known.append(f"took {row['extracted'][:80]!r}")
    known.append(f"log p {row['log_p']:.1f}, {row['n_tokens']} tokens, {row['finish']}")
    text = row["text"] if row["text"] is not None else "(not stored)"
    return (
        f'<div class="answer {escape(row["verdict"])}"><div class=small>{escape(" · ".join(known))}</div>'
        f"<pre>{escape(text)}</pre></div>"
    )


def _gold(gold: Any) -> str:
    if isinstance(gold, dict):
        return ", ".join(f"{name} {value}" for name, value in gold.items())[:400]
    return "" if gold is None else str(gold)
