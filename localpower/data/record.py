"""What an export did: the same words for the terminal, for export.json and for the card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from localpower import __version__
from localpower.data.expectations import Expectation
from localpower.data.files import FORMAT
from localpower.data.samples import Source
from localpower.data.selection import Step
from localpower.evals.plainly import plainly

Cells = tuple[tuple[str, ...], list[tuple[str, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """rows: of each split; problems, tokens likewise: those that were drawn. choices: as they were made, by option.

    licences: of each task's problems, empty where none is stated. rerun: the command that makes the first row again.
    ended: how many rows end with an end token; None: the model's file was not there to tell. n_traces: rows in which an
    environment took part.
    """

    source: Source
    formats: tuple[str, ...]
    parquet: bool
    provenance: bool
    choices: dict[str, Any]
    runs: tuple[dict[str, Any], ...]
    licences: dict[str, str]
    rows: dict[str, int]
    problems: dict[str, int]
    tokens: dict[str, int]
    steps: tuple[Step, ...]
    before: tuple[Expectation, ...]
    after: tuple[Expectation, ...]
    notes: tuple[str, ...]
    rerun: str
    ended: int | None
    n_traces: int = 0

    @property
    def n_rows(self) -> int:
        """In all splits."""
        return sum(self.rows.values())

    def file(self, form: str, split: str) -> str:
        """Where the rows of a split are."""
        return f"{form}/{split}-00000-of-00001.{'parquet' if self.parquet else 'jsonl'}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values: what export.json holds, less the list of files."""
        own = plainly(self)
        del own["source"]["path"]  # data are passed on, and where the model lay is nobody's business
        kept = (
            "formats",
            "choices",
            "runs",
            "licences",
            "rows",
            "problems",
            "tokens",
            "steps",
            "before",
            "after",
        )
        return {
            "format": FORMAT,
            "version": __version__,
            "model": own["source"],
            **{name: own[name] for name in kept},
            "ended_by_end_token": self.ended,
            "rerun": self.rerun,
            **({"traces": self.n_traces} if self.n_traces else {}),
            "notes": own["notes"],
        }

    def split_cells(self) -> Cells:
        """What is in the data."""
        return ("split", "rows", "problems", "tokens drawn"), [
            (name, f"{self.rows[name]:,}", f"{self.problems[name]:,}", f"{self.tokens[name]:,}")
            for name in self.rows
        ]

    def step_cells(self) -> Cells:
        """What was left out."""
        first = max(self.steps[0].left, 1)
        return ("answers", "left out", "left", "share"), [
            (step.name, f"{step.dropped:,}" if i else "", f"{step.left:,}", f"{step.left / first:.0%}")
            for i, step in enumerate(self.steps)
        ]

    def expectation_cells(self) -> Cells:
        """What to expect, of all answers and of the rows."""
        heads = (
            *("method", "answers", "accuracy", "coverage", "distinct", "final answers"),
            *("entropy", "log p a token", "loops"),
        )
        return heads, [
            _cells(each, words)
            for words, some in (("all", self.before), ("rows", self.after))
            for each in some
        ]


def _cells(each: Expectation, words: str) -> tuple[str, ...]:
    return (
        f"{each.method}, {words}",
        f"{each.n_answers:,}",
        _share(each.accuracy),
        _share(each.coverage),
        _share(each.distinct),
        "" if each.answers_each is None else f"{each.answers_each:.1f}",
        "" if each.entropy is None else f"{each.entropy:.2f}",
        "" if each.log_p is None else f"{each.log_p:.2f}",
        _share(each.loops),
    )


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


def plain(cells: Cells) -> str:
    """A table as lines of text, numbers to the right."""
    heads, rows = cells[0], [tuple(map(one_line, row)) for row in cells[1]]
    widths = [max(len(line[i]) for line in (heads, *rows)) for i in range(len(heads))]

    def line(cells: Sequence[str]) -> str:
        first = cells[0].ljust(widths[0])
        return "  ".join([first, *(c.rjust(w) for c, w in zip(cells[1:], widths[1:], strict=True))]).rstrip()

    return "\n".join([line(heads), "-" * (sum(widths) + 2 * len(widths) - 2), *map(line, rows)])


def markdown(cells: Cells) -> str:
    """A table of Markdown; no cell holds a bar or a line break."""
    heads, rows = cells
    ruler = ("---", *("---:" for _ in heads[1:]))
    safe = [[one_line(cell).replace("|", "\\|") for cell in line] for line in (heads, ruler, *rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in safe)


def one_line(text: str) -> str:
    """A text in one line, without characters that cannot be seen."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())
