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
from localpower.evals.groups import groups
from localpower.evals.likelihood import Scores, own_scores
from localpower.evals.report import report
from localpower.evals.scoring import Scorer
from localpower.evals.store import Stored, read
from localpower.loading import Request
from localpower.runs.interrupt import Interrupts

if TYPE_CHECKING:
    from localpower.api.evaluate import EvalRun

_WIDE = 120  # columns


@dataclass(frozen=True, slots=True)
class Report:
    """Accuracy with intervals, paired differences, pass@k, costs and likelihoods of runs. `str` is its table."""

    values: dict[str, Any]
    runs: tuple[Stored, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, as `localpower compare --format json` prints them."""
        return self.values

    def table(self, width: int = _WIDE) -> str:
        """As plain text of so many columns."""
        from rich.console import Console

        from localpower.ui.tables import terminal

        text = io.StringIO()
        Console(file=text, width=width, color_system=None).print(terminal(self.values, width))
        return "\n".join(line.rstrip() for line in text.getvalue().splitlines())

    def markdown(self) -> str:
        """As tables of Markdown."""
        from localpower.ui.tables import markdown

        return markdown(self.values)

    def html(self) -> str:
        """As one page with the answers side by side."""
        from localpower.ui.page import page

        return page(self.values, groups(self.runs))

    def __str__(self) -> str:
        return self.table()


def compare(*runs: EvalRun | str | Path, baseline: str | None = None) -> Report:
    """What runs, or their folders, say; baseline: the method that every other one is paired with.

    Raises UserError for a folder that holds no run, and where there are no answers yet.
    """
    paths = [Path(run) if isinstance(run, str | Path) else run.path for run in runs]
    return compare_stored(read_runs(paths), baseline=baseline)


def read_runs(paths: Sequence[Path], say: Callable[[str], None] = lambda _: None) -> list[Stored]:
    """What folders hold. Raises UserError for one that holds no run, or a damaged one."""
    return [read(path, say) for path in paths]


def compare_with(
    scorer: str | None,
    runs: Sequence[Stored],
    baseline: str | None,
    interrupts: Interrupts,
    say: Callable[[str], None],
    heard: Callable[[int, int], None],
    waiting: Waiting = nobody,
) -> Report:
    """The same, with every answer read by the model `scorer`; None: likelihoods are the models' own.

    heard: of answers read, and of how many. Raises Interrupted; what was read is kept.
    """
    if scorer is None:
        return compare_stored(runs, baseline=baseline)
    loaded = opened(Request(scorer), interrupts, waiting)
    reader = Scorer(loaded, interrupts.check, say)
    for run in runs:
        reader.read_all(run, heard)
    if reader.n_skipped:
        say(
            f"note: {reader.n_skipped} answers could not be read: their prompts were not stored or are too long, "
            "or the model holds the answers impossible"
        )
    return compare_stored(runs, reader.scores, loaded.info.name, baseline)


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
) -> Report:
    """The same of runs that have been read. scorer: the name of the model that gave the scores."""
    if not any(run.rows for run in runs):
        raise UserError(f"there are no answers in {', '.join(str(run.path) for run in runs)} yet")
    return Report(report(runs, scores, scorer, baseline), tuple(runs))
