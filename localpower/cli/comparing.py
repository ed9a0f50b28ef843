"""`localpower compare`: what one or more evals say, as tables, JSON, a picture or a page."""

from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from localpower.cli.sections import Command, renamed
from localpower.cli.terminal import say, tenths, waiting, write_answer
from localpower.errors import EXIT_INTERRUPTED, EXIT_OK, Interrupted, UserError

if TYPE_CHECKING:
    from localpower.evals.scoring import Scorer
    from localpower.evals.store import Stored

_WIDE = 120  # columns where stdout is no terminal
_FORMATS = ("table", "markdown", "json")


@click.command(cls=Command, short_help="Compare what evals found, with intervals.")
@click.option(
    "--format",
    "output",
    type=click.Choice(_FORMATS),
    default="table",
    show_default=True,
    help="The form of what is printed on stdout.",
)
@click.option(
    "--scorer",
    metavar="MODEL",
    help="This model reads every answer; the histograms of likelihood and confidence are then its own.",
)
@click.option(
    "--baseline",
    metavar="LABEL",
    help="Every method is paired with this one.  [default: the first of each model, and models by method]",
)
@click.option(
    "--html",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A page with the answers side by side is written to FILE.",
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A picture of the table is written to FILE (extra: localpower[plots]).",
)
@click.option(
    "--export-alpaca",
    "export",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The answers are written to DIR as alpaca_eval reads them, a file for each method.",
)
@renamed("--against", "--baseline")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR...")
@click.option("--debug", is_flag=True, help="A problem is shown with its traceback.")
def compare(
    output: str,
    scorer: str | None,
    baseline: str | None,
    html: Path | None,
    plot: Path | None,
    export: Path | None,
    folders: tuple[Path, ...],
    debug: bool,
) -> int:
    """Say what the evals in DIRs found: shares with intervals, paired differences, pass@k, costs, likelihoods.

    Problems are paired by their id, within a run and across runs. Where they are too few for a difference, it says how
    many would do.
    """
    from localpower.evals.likelihood import Scores, own_scores
    from localpower.evals.report import report
    from localpower.evals.store import read
    from localpower.ui.page import page
    from localpower.ui.plots import require
    from localpower.ui.tables import markdown

    if plot:
        require()
    runs = [read(folder) for folder in folders]
    if not any(run.rows for run in runs):
        raise UserError(f"there are no answers in {', '.join(map(str, folders))} yet")
    scores: Scores = own_scores
    name = None
    if scorer is not None:
        try:
            reader = _read_with(scorer, runs)
        except (Interrupted, KeyboardInterrupt):
            say("interrupted: what was read is kept")
            return EXIT_INTERRUPTED
        scores, name = reader.scores, str(reader.loaded.identity["name"])
    found = report(runs, scores, name, baseline)
    if output == "json":
        write_answer(json.dumps(found, ensure_ascii=False))
    elif output == "markdown":
        write_answer(markdown(found))
    else:
        write_answer(_table(found))
    if html:
        _write(html, page(found, runs))
    if plot:
        from localpower.ui.eval_plots import draw

        draw(found, plot)
    if export:
        _export(runs, export)
    return EXIT_OK


def show(folders: Sequence[Path]) -> None:
    """The table of what is stored, for a terminal or a pipe."""
    from localpower.evals.report import report
    from localpower.evals.store import read

    write_answer(_table(report([read(path) for path in folders])))


def _table(found: dict[str, object]) -> str:
    from rich.console import Console

    from localpower.ui.tables import terminal

    width = shutil.get_terminal_size((_WIDE, 24)).columns if sys.stdout.isatty() else _WIDE
    text = io.StringIO()
    Console(file=text, width=width, color_system=None).print(terminal(found, width))
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def _read_with(name: str, runs: Sequence[Stored]) -> Scorer:
    """Every answer read by a model. Raises Interrupted."""
    from localpower.evals.scoring import Scorer
    from localpower.loading import Request, load
    from localpower.runs.interrupt import Interrupts

    with Interrupts() as interrupts:
        with waiting() as wait:
            loaded = load(Request(name), say=wait, stop=lambda: interrupts.requested)
        interrupts.check()
        reader = Scorer(loaded, interrupts.check)
        for run in runs:
            reader.read_all(run, tenths("read", "answers"))
    if reader.n_skipped:
        say(
            f"note: {reader.n_skipped} answers could not be read: their prompts were not stored, or are too long"
        )
    return reader


def _export(runs: Sequence[Stored], folder: Path) -> None:
    from localpower.evals.alpaca import exported

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot write {folder}: {error.strerror}") from None
    for name, rows in exported(runs).items():
        _write(folder / f"{name}.json", json.dumps(rows, ensure_ascii=False, indent=1))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from None
    say(f"wrote {path}")
