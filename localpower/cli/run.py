"""`localpower run`: one answer."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from localpower.cli.options import (
    engine_options,
    flag,
    log_option,
    path_option,
    prompt_options,
    quiet_option,
    sampling_options,
    thoughts_option,
)
from localpower.cli.refused import refused_options
from localpower.cli.sections import Command
from localpower.cli.terminal import keep_in_log, say, tell, view_of, write_answer
from localpower.cli.tool_options import tool_options
from localpower.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_PROBLEM

if TYPE_CHECKING:
    from localpower.api.answer_run import AnswerRun
    from localpower.api.question import Question
    from localpower.loaded import Loaded
    from localpower.runs.answer import Answer
    from localpower.runs.interrupt import Interrupts
    from localpower.runs.record import Recorder
    from localpower.text.thinking import Thought


@click.command(cls=Command, short_help="Sample one answer.")
@click.argument("prompt", required=False)
@sampling_options
@prompt_options
@tool_options
@engine_options
@path_option(
    "-f",
    "--file",
    "files",
    multiple=True,
    help="The text of FILE stands before PROMPT. The option may be repeated.",
)
@flag("--json", "as_json", help="One JSON object is printed instead of the text.")
@path_option("--events", help="Every event is written to FILE as a JSON line.")
@flag("--diagnose", help="The summary says how well the run went: moves by cut, autocorrelation, particles.")
@path_option("--plot", help="The diagnosis is drawn to FILE (extra: localpower[plots]).")
@thoughts_option
@log_option
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
    from localpower.api.question import ask, check_traces, memory_notes
    from localpower.cli.asked import read_prompt
    from localpower.cli.pull import offer
    from localpower.cli.requests import first_notes, open_model, prompting, sampling, tool_use
    from localpower.runs.interrupt import Interrupts
    from localpower.runs.record import Recorder
    from localpower.ui.plots import require

    how, wording = sampling(options), prompting(options)
    if plot:
        require(plot)
    text = read_prompt(prompt, raw=options["raw"], files=files)
    if options["tools"]:
        check_traces(how)
    offer(options["model"])
    with Interrupts() as interrupts, ExitStack() as cleanup:
        wording = replace(wording, tools=tool_use(options, lambda: interrupts.requested))
        loaded = open_model(options, interrupts)
        question = ask(loaded, text, how, wording)
        recorder = Recorder(events, loaded.piece) if events else None
        if recorder:
            cleanup.callback(recorder.close)
        told = first_notes(ctx, loaded, how, wording)
        tell((*told, *question.notes, *memory_notes(loaded, question)))
        job = _job(loaded, question, options, interrupts)
        whole = options["show_thoughts"]
        found = _watched(job, recorder, diagnose=diagnose or plot is not None, whole=whole)
    tell(job.notes)
    keep_in_log(found, options, text)  # before it is shown: a reader that has gone costs no entry
    _write(found, question.thought, as_json=as_json, whole=whole)
    _sum_up(found, diagnose=diagnose, plot=plot)
    if recorder and recorder.problem:
        say(f"localpower: {recorder.problem}", always=True)
        return EXIT_PROBLEM
    return EXIT_INTERRUPTED if interrupts.requested else EXIT_OK


def _job(loaded: Loaded, question: Question, options: dict[str, Any], interrupts: Interrupts) -> AnswerRun:
    """The run, on an engine with room for it."""
    from localpower.api.answer_run import AnswerRun
    from localpower.api.request import chosen_seed

    how = question.options
    width = how.chains * question.sampler.width
    engine = loaded.engine(question.prompt, question.longest, width, interrupts.check, chains=how.chains)
    return AnswerRun(
        loaded, engine, question, chosen_seed(options["seed"]), interrupts, options["prompt_cache"]
    )


def _watched(job: AnswerRun, recorder: Recorder | None, *, diagnose: bool, whole: bool) -> Answer:
    """The answer, while the view and the recorder hear of every event.

    diagnose: with a report on the run. whole: thoughts are shown whole.
    """
    from localpower.api.answer_run import run as answer
    from localpower.runs.diagnosis import Diagnosis
    from localpower.runs.session import Listener

    if recorder:
        recorder.write(None, job.started)
    diagnosis = Diagnosis(job.question.options.max_tokens, job.n_chains) if diagnose else None
    with view_of(job, whole=whole) as view:
        listeners: list[Listener] = [view, *(each for each in (recorder, diagnosis) if each)]
        found = answer(job, listeners)
    return replace(found, diagnostics=diagnosis.report()) if diagnosis else found


def _write(found: Answer, thought: Thought | None, *, as_json: bool, whole: bool) -> None:
    """The answer on stdout. Raises OutputClosed."""
    from localpower.cli.printed import Manner

    if as_json:
        write_answer(json.dumps(found.to_dict()))
    else:
        Manner(thought.marks if thought else None, whole).answer(found)


def _sum_up(found: Answer, *, diagnose: bool, plot: Path | None) -> None:
    """What is to be said of it on stderr."""
    from localpower.ui.diagnosis import lines
    from localpower.ui.plots import draw
    from localpower.ui.summary import summary

    for line in summary(found):
        say(line)
    if found.diagnostics and diagnose:
        for line in lines(found.diagnostics):
            say(line)
    if found.diagnostics and plot:
        draw(found.diagnostics, plot)
