"""`localpower compare`: what one or more evals say, as tables, JSON, a picture or a page."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from localpower.cli.options import DIRS, flag, path_option
from localpower.cli.refused import renamed
from localpower.cli.sections import Command
from localpower.cli.terminal import say, tenths, waiting, write_answer
from localpower.errors import EXIT_INTERRUPTED, EXIT_OK, Interrupted, UserError

_WIDE = 120  # columns where stdout is no terminal
_FORMATS = ("table", "markdown", "json")


@click.command(cls=Command, short_help="Compare what evals found, with intervals.")
@click.option(
    "--format",
    "output",
    type=click.Choice(_FORMATS),
    default="table",
    help="The form of what is printed on stdout.",
)
@click.option(
    "--scorer",
    "scorers",
    multiple=True,
    metavar="MODEL",
    help="This model reads every answer; the histograms of likelihood and confidence are then its own. With "
    "--sharpening the option is given for both models.",
)
@flag(
    "--sharpening",
    help="The tables say whether a tuned model does more than its sharpened base: pass@k at equal k and equal tokens, "
    "solved sets, the sharpening tax, divergences.",
)
@click.option(
    "--base-model",
    "base",
    metavar="NAME",
    help="The base model of --sharpening, as the runs call it.  [default: the first of two models]",
)
@click.option(
    "--tuned-model",
    "tuned",
    metavar="NAME",
    help="The tuned model of --sharpening, as the runs call it.  [default: the other one]",
)
@click.option(
    "--baseline",
    metavar="LABEL",
    help="Every method is paired with this one.  [default: the first of each model, and models by method]",
)
@path_option("--html", help="A page with charts, tables and all answers side by side is written to FILE.")
@path_option("--plot", help="A picture of the table is written to FILE (extra: localpower[plots]).")
@path_option(
    "--export-alpaca",
    "export",
    metavar="DIR",
    help="The answers are written to DIR as alpaca_eval reads them, a file for each method.",
)
@renamed("--against", "--baseline")
@DIRS
def compare(
    output: str,
    scorers: tuple[str, ...],
    sharpening: bool,
    base: str | None,
    tuned: str | None,
    baseline: str | None,
    html: Path | None,
    plot: Path | None,
    export: Path | None,
    folders: tuple[Path, ...],
) -> int:
    """Say what the evals in DIRs found: shares with intervals, paired differences, pass@k, costs, likelihoods.

    Problems are paired by their id, within a run and across runs. Where they are too few for a difference, it says how
    many would do.
    """
    from localpower.api.compare import compare_with, export_alpaca, read_runs
    from localpower.runs.interrupt import Interrupts
    from localpower.ui.plots import require

    if not sharpening and (base or tuned):
        raise click.UsageError("--base-model and --tuned-model go with --sharpening")
    if not sharpening and len(scorers) > 1:
        raise click.UsageError("--scorer is given once, or more often with --sharpening")
    if plot:
        require(plot)
    runs = read_runs(folders, say)
    with Interrupts() as interrupts:
        try:
            found = compare_with(
                *(scorers, runs, baseline, interrupts, say, tenths("read", "answers"), waiting),
                sides=(base, tuned) if sharpening else None,
            )
        except (Interrupted, KeyboardInterrupt):
            say("interrupted: what was read is kept")
            return EXIT_INTERRUPTED
    if output == "json":
        write_answer(json.dumps(found.to_dict()))
    else:
        write_answer(found.markdown() if output == "markdown" else found.table(_width()))
    if html:
        _write(html, found.html())
    if plot:
        from localpower.ui.eval_plots import draw

        draw(found.to_dict(), plot)
        say(f"wrote {plot}")
    if export:
        for path, text in export_alpaca(runs, export).items():
            _write(path, text)
    return EXIT_OK


def show(folders: Sequence[Path]) -> None:
    """The table of what is stored, for a terminal or a pipe."""
    from localpower.api.compare import compare as compared

    write_answer(compared(*folders).table(_width()))


def _width() -> int:
    return shutil.get_terminal_size((_WIDE, 24)).columns if sys.stdout.isatty() else _WIDE


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from None
    say(f"wrote {path}")
