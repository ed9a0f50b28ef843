"""`localpower.compare`: what one or more evals say."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localpower.api.opening import Waiting, nobody, opened
from localpower.errors import UserError
from localpower.evals.alpaca import exported
from localpower.evals.contest import contest
from localpower.evals.groups import groups
from localpower.evals.likelihood import Scores, own_scores
from localpower.evals.parts import read_run
from localpower.evals.plainly import plainly
from localpower.evals.report import report
from localpower.evals.scoring import Scorer
from localpower.evals.sharpness import Sharpening, sharpening_of
from localpower.evals.store import Stored
from localpower.loading import Request
from localpower.runs.interrupt import Interrupts

if TYPE_CHECKING:
    from localpower.api.evaluate import EvalRun

_WIDE = 120  # columns
Sides = tuple[str | None, str | None]  # base and tuned model; None: to be inferred


@dataclass(frozen=True, slots=True)
class Report:
    """Accuracy with intervals, paired differences, pass@k, costs and likelihoods of runs. `str` is its table.

    sharpening: what `compare(..., sharpening=True)` found; tables are then its own.
    """

    values: dict[str, Any]
    runs: tuple[Stored, ...]
    sharpening: Sharpening | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, as `localpower compare --format json` prints them."""
        return (
            self.values if self.sharpening is None else self.values | {"sharpening": plainly(self.sharpening)}
        )

    def table(self, width: int = _WIDE) -> str:
        """As plain text of so many columns."""
        from rich.console import Console

        from localpower.ui import sharpening_report, tables

        text = io.StringIO()
        console = Console(file=text, width=width, color_system=None)
        if self.sharpening is None:
            console.print(tables.terminal(self.values, width))
        else:
            console.print(sharpening_report.terminal(self.sharpening, width))
        return "\n".join(line.rstrip() for line in text.getvalue().splitlines())

    def markdown(self) -> str:
        """As tables of Markdown."""
        from localpower.ui import sharpening_report, tables

        if self.sharpening is not None:
            return sharpening_report.markdown(self.sharpening)
        return tables.markdown(self.values)

    def html(self) -> str:
        """As one page with the answers side by side."""
        from localpower.ui.page import page

        return page(self.values, groups(self.runs), self.sharpening)

    def __str__(self) -> str:
        return self.table()


def compare(
    *runs: EvalRun | str | Path, baseline: str | None = None, sharpening: bool | tuple[str, str] = False
) -> Report:
    """What runs, or their folders, say; baseline: the method that every other one is paired with.

    sharpening: whether a tuned model does more than its sharpened base; (base, tuned) names the two models, True takes
    the first of two for the base. Raises UserError for a folder that holds no run, where there are no answers yet, and
    for models that cannot be compared so.
    """
    paths = [Path(run) if isinstance(run, str | Path) else run.path for run in runs]
    sides = (None, None) if sharpening is True else sharpening or None
    return compare_stored(read_runs(paths), baseline=baseline, sides=sides)


def read_runs(paths: Sequence[Path], say: Callable[[str], None] = lambda _: None) -> list[Stored]:
    """What folders hold, with all their parts. Raises UserError for no run, and for a damaged or a mixed one."""
    return [read_run(path, say) for path in paths]


def compare_with(
    scorers: Sequence[str],
    runs: Sequence[Stored],
    baseline: str | None,
    interrupts: Interrupts,
    say: Callable[[str], None],
    heard: Callable[[int, int], None],
    waiting: Waiting = nobody,
    sides: Sides | None = None,
) -> Report:
    """The same, with every answer read by each of the models `scorers`, of which one is in memory at a time.

    Likelihoods are those of the first one; without any they are the models' own. heard: of answers read, and of how
    many. Raises Interrupted; what was read is kept.
    """
    if sides is not None:
        contest(runs, *sides)  # refused before a model is loaded
    scores: Scores = own_scores
    name = None
    for scorer in reversed(scorers):
        scores = own_scores  # the memory of the last one is free before the next one needs some
        reader = Scorer(opened(Request(scorer), interrupts, waiting), interrupts.check, say)
        read_with(reader, runs, say, heard)
        scores, name = reader.scores, reader.loaded.info.name
        del reader
    return compare_stored(runs, scores, name, baseline, sides, say)


def read_with(
    reader: Scorer, runs: Sequence[Stored], say: Callable[[str], None], heard: Callable[[int, int], None]
) -> None:
    """Read all answers of runs that the reader's model has not read yet. Raises what its check raises."""
    for run in runs:
        reader.read_all(run, heard)
    if reader.n_skipped:
        say(
            f"note: {reader.n_skipped} answers could not be read: their prompts were not stored or are too long, "
            "or the model holds the answers impossible"
        )


def export_alpaca(runs: Sequence[Stored], folder: Path) -> dict[Path, str]:
    """The files that alpaca_eval reads, by path in `folder`, which is made. Raises UserError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot write {folder}: {error.strerror}") from None
    return {
        folder / f"{name}.json": json.dumps(rows, ensure_ascii=False, indent=1)
        for name, rows in exported(runs).items()
    }


def compare_stored(
    runs: Sequence[Stored],
    scores: Scores = own_scores,
    scorer: str | None = None,
    baseline: str | None = None,
    sides: Sides | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """The same of runs that have been read. scorer: the name of the model that gave the scores.

    sides: base and tuned model of a sharpening report, None in it: to be inferred. say: hears of cut-off lines.
    """
    if not any(run.rows for run in runs):
        raise UserError(f"there are no answers in {', '.join(str(run.path) for run in runs)} yet")
    sharpening = None if sides is None else sharpening_of(runs, *sides, say=say)
    return Report(report(runs, scores, scorer, baseline), tuple(runs), sharpening)
