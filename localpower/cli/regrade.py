"""`localpower regrade`: verdicts anew on the stored answers of an eval, without generating."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from localpower.cli.options import program_options
from localpower.cli.refused import renamed
from localpower.cli.sections import Command
from localpower.errors import EXIT_INTERRUPTED, EXIT_OK, Interrupted
from localpower.names import GRADERS


@click.command(cls=Command, short_help="Grade the stored answers of an eval again.")
@click.option(
    "--grader",
    type=click.Choice(GRADERS),
    help="The grader of mathematics.  [default: the one by which DIR was graded]",
)
@program_options
@click.option("--judge", metavar="MODEL", help="This model compares open answers, each pair in both orders.")
@click.option(
    "--reference",
    metavar="METHOD|FILE",
    help="What open answers are compared with: a method, or a file of outputs.  [default: the first method]",
)
@renamed("--against", "--reference")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
def regrade(folder: Path, **options: Any) -> int:
    """Grade the answers in DIR again: what localpower eval stored there.

    Answers stay as they are; verdict, extracted and grader are replaced. Open answers are compared by --judge. The
    table is printed as by localpower compare.
    """
    from localpower.api.compare import read_runs
    from localpower.api.programs import isolation
    from localpower.api.regrade import regrade as again
    from localpower.cli.compare import show
    from localpower.cli.terminal import say, tenths, waiting
    from localpower.runs.interrupt import Interrupts

    if options["reference"] is not None and options["judge"] is None:
        raise click.UsageError("--reference goes with --judge")
    read_runs([folder])  # refuses what is no run before anything is made there
    if options["run_code"]:
        say(f"note: programs run in isolation of kind {isolation()}")
    with Interrupts() as interrupts:
        try:
            again(folder, interrupts, say, tenths("judged", "pairs"), waiting=waiting, **options)
        except (Interrupted, KeyboardInterrupt):
            say(
                "interrupted: verdicts are as they were, but for those of programs that were run; judgements are kept"
            )
            return EXIT_INTERRUPTED
    show([folder])
    return EXIT_OK
