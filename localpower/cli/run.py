"""`localpower run`: one answer."""

from __future__ import annotations

import json
import secrets
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from localpower.cli.options import (
    engine_options,
    prompt_options,
    refused_options,
    sampling_options,
)
from localpower.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_PROBLEM


@click.command()
@click.argument("prompt", required=False)
@sampling_options
@prompt_options
@engine_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the text.")
@click.option(
    "--events", type=click.Path(path_type=Path), metavar="FILE", help="Write every event as a JSON line."
)
@refused_options
@click.pass_context
def run(ctx: click.Context, /, prompt: str | None, as_json: bool, events: Path | None, **options: Any) -> int:
    """Answer PROMPT (or the text on stdin) with a draw from p(answer | prompt)^alpha.

    The answer goes to stdout, everything else to stderr. Ctrl-C ends the run with the last accepted state.
    """
    from localpower.cli.answering import Job, answer, summary, words
    from localpower.cli.planning import Wishes, make_sampler, template_arguments, unused
    from localpower.cli.terminal import can_redraw, read_prompt, say, write_answer
    from localpower.completion import Rules
    from localpower.loading import Request, load
    from localpower.runs.interrupt import Interrupts
    from localpower.runs.record import Recorder
    from localpower.text.stops import stop_predicate

    arguments = template_arguments(options["template_args"])
    stops = [stop.encode("utf-8", "surrogateescape") for stop in options["stops"]]
    if not all(stops):
        raise click.UsageError("--stop must not be empty")
    wishes = Wishes(
        options["method"],
        options["alpha"],
        options["temperature"],
        options["max_tokens"],
        options["block"],
        options["steps"],
    )
    # A value that is bad at either default of alpha is told before the model loads.
    make_sampler(wishes, Rules(), chat=False)
    text = read_prompt(prompt, raw=options["raw"])
    seed = options["seed"] if options["seed"] is not None else secrets.randbits(32)
    with Interrupts() as interrupts, ExitStack() as cleanup:
        loaded = load(
            Request(
                options["model"],
                options["threads"],
                options["n_ctx"],
                options["gpu_layers"],
                options["fast"],
            ),
            say=say,
            stop=lambda: interrupts.requested,
        )
        interrupts.check()
        chat = loaded.has_template and not options["raw"]
        given = {name for name in options if ctx.get_parameter_source(name) == _COMMANDLINE}
        for note in loaded.notes + unused(options["method"], given) + _prompt_notes(loaded, options):
            say(f"note: {note}")
        tokens = loaded.prompt(
            [
                *([{"role": "system", "content": options["system"]}] if options["system"] else []),
                {"role": "user", "content": text},
            ],
            raw=not chat,
            arguments=arguments,
        )
        ends = {loaded.control_token(stop) for stop in options["stops"]} - {None}
        by_bytes = stop_predicate(stops, loaded.piece)
        rules = Rules(ended=lambda run: run[-1] in ends or by_bytes(run))
        sampler, alpha = make_sampler(wishes, rules, chat=chat)
        recorder = Recorder(events, loaded.piece) if events else None
        if recorder:
            cleanup.callback(recorder.close)
        engine = loaded.engine(tokens, wishes.max_tokens, options["chains"], interrupts.check)
        job = Job(loaded, engine, sampler, alpha, tokens, seed, options["chains"], options["pick"], stops)
        result = answer(job, interrupts, recorder, redraw=can_redraw())
    write_answer(json.dumps(result) if as_json else words(result))
    for line in summary(result):
        say(line)
    if recorder and recorder.problem:
        say(f"localpower: {recorder.problem}")
        return EXIT_PROBLEM
    return EXIT_INTERRUPTED if interrupts.requested else EXIT_OK


_COMMANDLINE = click.core.ParameterSource.COMMANDLINE


def _prompt_notes(loaded: Any, options: dict[str, Any]) -> list[str]:
    """What becomes of --system and the template."""
    if loaded.has_template and not options["raw"]:
        return []
    why = "--raw sends no template" if options["raw"] else "this model has no chat template"
    unused = [name for name in ("system", "template_args") if options[name]]
    notes = [f"--{name.removesuffix('s').replace('_', '-')} is not used: {why}" for name in unused]
    if not options["raw"] and not loaded.has_template:
        notes.append("this model has no chat template: the prompt is sent as it is")
    return notes
