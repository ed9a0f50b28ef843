"""`localpower regrade`: verdicts anew on the stored answers of an eval, without generating."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from localpower.cli.options import program_options
from localpower.cli.sections import Command, renamed
from localpower.errors import EXIT_INTERRUPTED, EXIT_OK, Interrupted, UserError
from localpower.names import GRADERS

if TYPE_CHECKING:
    from localpower.evals.store import Folder, Key, Row, Stored
    from localpower.loaded import Loaded
    from localpower.runs.interrupt import Interrupts


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
@click.option("--debug", is_flag=True, help="A problem is shown with its traceback.")
def regrade(
    grader: str | None,
    run_code: bool,
    seconds: float,
    judge: str | None,
    reference: str | None,
    folder: Path,
    debug: bool,
) -> int:
    """Grade the answers in DIR again: what localpower eval stored there.

    Answers stay as they are; verdict, extracted and grader are replaced. Open answers are compared by --judge. The
    table is printed as by localpower compare.
    """
    from localpower.cli.comparing import show
    from localpower.cli.terminal import say
    from localpower.evals import store
    from localpower.evals.grade import Grader
    from localpower.evals.regrade import regraded
    from localpower.grading.sandbox import isolation
    from localpower.runs.interrupt import Interrupts

    if reference is not None and judge is None:
        raise click.UsageError("--reference goes with --judge")
    store.read(folder)  # refuses what is no run before anything is made there
    if run_code:
        say(f"note: programs run in isolation of kind {isolation()}")
    with store.Folder(folder) as open_folder, Interrupts() as interrupts:
        open_folder.trim()
        stored = store.read(folder)
        how = grader or stored.settings["grader"]
        try:
            if judge is not None:
                _judge(stored, judge, reference, interrupts)
            with Grader(how, run_code=run_code, seconds=seconds) as verdicts:
                fresh = list(regraded(stored, verdicts, _texts(stored), interrupts.check))
        except (Interrupted, KeyboardInterrupt):
            say("interrupted: the verdicts are as they were; judgements are kept")
            return EXIT_INTERRUPTED
        changed = sum(a["verdict"] != b["verdict"] for a, b in zip(stored.rows, fresh, strict=True))
        open_folder.rewrite(fresh)
        open_folder.begin(stored.settings | {"grader": how}, list(stored.problems.values()))
        say(f"{len(fresh)} answers graded again by {how}; {changed} verdicts are others now")
    show([folder])
    return EXIT_OK


def _judge(stored: Stored, model: str, reference: str | None, interrupts: Interrupts) -> None:
    """Compare open answers with a model."""
    from localpower.cli.terminal import say, tenths, waiting
    from localpower.evals.judge import Judge
    from localpower.evals.judging import judge_all, matches
    from localpower.loading import Request, load

    found = matches(stored, reference)
    with waiting() as wait:
        loaded = load(Request(model), say=wait, stop=lambda: interrupts.requested)
    interrupts.check()
    if loaded.identity["sha256"] in {one["sha256"] for one in stored.settings["models"].values()}:
        say("note: the judge is one of the models it judges, and models prefer their own answers")
    too_long = judge_all(
        stored,
        Judge(loaded, interrupts.check),
        loaded.identity,
        found,
        tenths("judged", "pairs"),
    )
    if too_long:
        say(f"note: {too_long} pairs are longer than the judge's context and were left out")


def run_programs(
    folder: Folder, rows: dict[Key, Row], kinds: Mapping[str, str], seconds: float, interrupts: Interrupts
) -> None:
    """Run the programs that have not been run; a kill loses the one that is running."""
    from localpower.cli.terminal import say
    from localpower.evals import store
    from localpower.evals.grade import Grader
    from localpower.evals.regrade import pending_code, regrade_row
    from localpower.grading.sandbox import isolation

    waiting = pending_code(rows.values(), kinds)
    if not waiting:
        return
    say(f"{len(waiting)} programs are run in isolation of kind {isolation()}")
    problems = store.read(folder.path).problems
    with Grader(run_code=True, seconds=seconds) as grader:
        for row in waiting:
            interrupts.check()
            rows[store.key(row)] = regrade_row(row, kinds, problems, grader, _stored_text)
            folder.add(rows[store.key(row)])  # the later line of an answer counts
    folder.rewrite(rows.values())


def _stored_text(row: Mapping[str, Any]) -> str:
    return str(row["text"])


def _texts(stored: Stored) -> Callable[[Row], str]:
    """The text of an answer; one that was stored without is spelled by its model, which must still be there."""
    from localpower.loading import Request, load
    from localpower.text.stops import answer_text

    open_models: dict[str, Loaded] = {}

    def text_of(row: Row) -> str:
        if row["text"] is not None:
            return str(row["text"])
        label = row["model"]
        if label not in open_models:
            path = stored.settings["models"][label]["path"]
            try:
                open_models[label] = load(Request(path))
            except UserError as error:
                raise UserError(
                    f"answers were stored without their text, and their model cannot be read: {error.message}",
                    error.hint,
                ) from None
        stops = stored.problems[row["task"], row["id"]]["prompts"][label]["stops"]
        return answer_text(tuple(row["tokens"]), open_models[label].piece, [stop.encode() for stop in stops])

    return text_of
