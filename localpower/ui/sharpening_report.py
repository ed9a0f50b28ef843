"""A sharpening report for a terminal, or as Markdown: first the answer, then the numbers, then what they leave open."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from localpower.evals.contest import Contest
from localpower.evals.sharpness import Sharpening, TaskSharpening
from localpower.ui.sharpening_tables import sections_of
from localpower.ui.tables import escaped, fitted, markdown_table, table_of
from localpower.ui.view import one_line

QUESTION = "Is it just sharpening?"
RIVALS = "What else may explain a difference"
NOTES = "What is left out"


def told(who: Contest) -> str:
    """Which model is which."""
    why = "; the first of two models is taken for the base: --base-model and --tuned-model say otherwise"
    return f"base: {who.base} · tuned: {who.tuned}{why if who.inferred else ''}"


def terminal(found: Sharpening, width: int) -> RenderableType:
    """The report for so many columns."""
    parts: list[RenderableType] = [Text(one_line(told(found.who)))]
    parts += [Text(one_line(f"note: {note}")) for note in found.notes]
    for name, task in found.tasks.items():
        parts += [Text(), Text(one_line(name), style="bold"), *_heading(QUESTION)]
        parts += [Text(one_line(sentence)) for sentence in task.finding]
        for section in sections_of(found.who, task):
            parts += _heading(section.title)
            parts += [Text(one_line(words), style="dim") for words in section.words]
            parts.append(table_of(*fitted(section.heads, section.rows, width)))
        for title, lines in remarks(task):
            parts += [*_heading(title), *(Text(one_line(f"- {line}")) for line in lines)]
    return Group(*parts)


def remarks(task: TaskSharpening) -> list[tuple[str, tuple[str, ...]]]:
    """Titles and lines of what stands at the end, where there is any."""
    return [(title, lines) for title, lines in ((RIVALS, task.rivals), (NOTES, task.notes)) if lines]


def markdown(found: Sharpening) -> str:
    """The report as Markdown."""
    lines = [escaped(told(found.who)), "", *(f"- {escaped(note)}" for note in found.notes)]
    for name, task in found.tasks.items():
        lines += ["", f"## {escaped(name)}", "", f"**{QUESTION}** {escaped(' '.join(task.finding))}", ""]
        for section in sections_of(found.who, task):
            lines += [f"### {section.title}", "", *(escaped(words) for words in section.words), ""]
            lines += [*markdown_table(section.heads, section.rows), ""]
        for title, some in remarks(task):
            lines += [f"### {title}", "", *(f"- {escaped(line)}" for line in some), ""]
    return "\n".join(lines).strip() + "\n"


def _heading(title: str) -> list[RenderableType]:
    return [Text(), Text(title, style="bold")]
