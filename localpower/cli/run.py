"""`localpower run`: one answer."""

from __future__ import annotations

import json
import secrets
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from localpower.cli.options import (
    engine_options,
    prompt_options,
    quiet_option,
    sampling_options,
    thoughts_option,
)
from localpower.cli.refused import refused_options
from localpower.cli.sections import Command
from localpower.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_PROBLEM

if TYPE_CHECKING:
    from localpower.runs.answer import Answer
    from localpower.text.thinking import Thought


@click.command(cls=Command, short_help="Sample one answer.")
@click.argument("prompt", required=False)
@sampling_options
@prompt_options
@engine_options
@click.option(
    "-f",
    "--file",
    "files",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The text of FILE stands before PROMPT. The option may be repeated.",
)
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
@thoughts_option
@quiet_option
@refused_options
@click.pass_context
def run(
    ctx: click.Context,
    /,
    prompt: str | None,
    files: tuple[Path, ...],
    as_json: bool,
    events: Path | None,
    diagnose: bool,
    plot: Path | None,
    **options: Any,
) -> int:
    """Answer PROMPT, or the text on stdin, with a sample towards p(answer | prompt)^alpha.

    Files and the text on stdin stand before PROMPT, with an empty line between them. A PROMPT that begins with a dash
    comes after --. The answer goes to stdout, everything else to stderr. Ctrl-C ends the run with the last accepted
    state.
    """
    from localpower.api.answer_run import AnswerRun
    from localpower.api.answer_run import run as answer
    from localpower.api.question import ask, notes
    from localpower.cli.asked import read_prompt
    from localpower.cli.pull import offer
    from localpower.cli.requests import given, open_model, prompting, sampling, typed_stops, unused
    from localpower.cli.terminal import say, view_of
    from localpower.runs.diagnosis import Diagnosis
    from localpower.runs.interrupt import Interrupts
    from localpower.runs.record import Recorder
    from localpower.runs.session import Listener
    from localpower.ui.diagnosis import lines
    from localpower.ui.plots import draw, require
    from localpower.ui.summary import summary

    how, wording = sampling(options), prompting(options)
    if plot:
        require(plot)
    text = read_prompt(prompt, raw=options["raw"], files=files)
    seed = options["seed"] if options["seed"] is not None else secrets.randbits(32)
    offer(options["model"])
    with Interrupts() as interrupts, ExitStack() as cleanup:
        loaded = open_model(options, interrupts)
        question = ask(loaded, text, how, wording)
        idle = unused(options["method"], given(ctx))
        known = [*notes(loaded, how, wording), *typed_stops(options), *idle, *question.notes]
        recorder = Recorder(events, loaded.piece) if events else None
        if recorder:
            cleanup.callback(recorder.close)
        width = how.chains * question.sampler.width
        engine = loaded.engine(question.prompt, how.max_tokens, width, interrupts.check, chains=how.chains)
        job = AnswerRun(loaded, engine, question, seed, interrupts, options["prompt_cache"])
        for note in known:
            say(f"note: {note}")
        if recorder:
            recorder.write(None, job.started)
        diagnosis = Diagnosis(how.max_tokens, how.chains) if diagnose or plot else None
        with view_of(job, whole=options["show_thoughts"]) as view:
            listeners: list[Listener] = [view, *(each for each in (recorder, diagnosis) if each)]
            found = answer(job, listeners)
        if diagnosis:
            found = replace(found, diagnostics=diagnosis.report())
    for note in job.notes:
        say(f"note: {note}")
    _write(found, question.thought, as_json=as_json, whole=options["show_thoughts"])
    told = lines(found.diagnostics) if found.diagnostics and diagnose else []
    for line in (*summary(found), *told):
        say(line)
    if found.diagnostics and plot:
        draw(found.diagnostics, plot)
    if recorder and recorder.problem:
        say(f"localpower: {recorder.problem}", always=True)
        return EXIT_PROBLEM
    return EXIT_INTERRUPTED if interrupts.requested else EXIT_OK


def _write(found: Answer, thought: Thought | None, *, as_json: bool, whole: bool) -> None:
    """The answer on stdout. Raises OutputClosed."""
    from localpower.cli.printed import Manner
    from localpower.cli.terminal import write_answer

    if as_json:
        write_answer(json.dumps(found.to_dict()))
    else:
        Manner(thought.marks if thought else None, whole).answer(found)
