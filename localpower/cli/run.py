"""`localpower run`: one answer."""

from __future__ import annotations

import json
import secrets
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from localpower.cli.options import (
    engine_options,
    prompt_options,
    quiet_option,
    refused_options,
    sampling_options,
)
from localpower.cli.sections import Command
from localpower.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_PROBLEM


@click.command(cls=Command, short_help="Sample one answer.")
@click.argument("prompt", required=False)
@sampling_options
@prompt_options
@engine_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object is printed instead of the text.")
@click.option(
    "--events",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Every event is written to FILE as a JSON line.",
)
@click.option(
    "--diagnose",
    is_flag=True,
    help="The summary says how well the run went: moves by cut, autocorrelation, particles.",
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The diagnosis is drawn to FILE (extra: localpower[plots]).",
)
@quiet_option
@refused_options
@click.pass_context
def run(
    ctx: click.Context,
    /,
    prompt: str | None,
    as_json: bool,
    events: Path | None,
    diagnose: bool,
    plot: Path | None,
    **options: Any,
) -> int:
    """Answer PROMPT, or the text on stdin, with a sample towards p(answer | prompt)^alpha.

    The answer goes to stdout, everything else to stderr. Ctrl-C ends the run with the last accepted state.
    """
    from localpower.cli.answering import Job, answer, summary, words
    from localpower.cli.asking import ask, check_options, notes, open_model
    from localpower.cli.terminal import can_redraw, read_prompt, say, write_answer
    from localpower.runs.diagnosis import Diagnosis
    from localpower.runs.interrupt import Interrupts
    from localpower.runs.record import Recorder
    from localpower.text.conversation import Conversation
    from localpower.ui.diagnosis import lines
    from localpower.ui.plots import draw, require

    check_options(options)
    if plot:
        require()
    text = read_prompt(prompt, raw=options["raw"])
    seed = options["seed"] if options["seed"] is not None else secrets.randbits(32)
    given = {name for name in options if ctx.get_parameter_source(name) == ParameterSource.COMMANDLINE}
    with Interrupts() as interrupts, ExitStack() as cleanup:
        loaded = open_model(options, interrupts)
        for note in notes(loaded, options, given):
            say(f"note: {note}")
        question = ask(loaded, options, Conversation.of(text))
        for note in question.notes:
            say(f"note: {note}")
        recorder = Recorder(events, loaded.piece) if events else None
        if recorder:
            cleanup.callback(recorder.close)
        chains = options["chains"]
        engine = loaded.engine(
            question.prompt, options["max_tokens"], chains * question.width, interrupts.check, chains=chains
        )
        diagnosis = Diagnosis(options["max_tokens"], options["chains"]) if diagnose or plot else None
        job = Job(
            loaded,
            engine,
            question,
            seed,
            options["chains"],
            options["pick"],
            options["prompt_cache"],
            [diagnosis] if diagnosis else [],
        )
        result = answer(job, interrupts, recorder, redraw=can_redraw())
        if diagnosis:
            result["diagnostics"] = diagnosis.report()
    write_answer(json.dumps(result) if as_json else words(result), prose=not as_json)
    for line in summary(result):
        say(line)
    if diagnose:
        for line in lines(result["diagnostics"]):
            say(line)
    if plot:
        draw(result["diagnostics"], plot)
    if recorder and recorder.problem:
        say(f"localpower: {recorder.problem}", always=True)
        return EXIT_PROBLEM
    return EXIT_INTERRUPTED if interrupts.requested else EXIT_OK
