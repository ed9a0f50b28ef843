"""`localpower replay`: a recorded run again, in the same view, or checked number by number."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from localpower.cli.options import flag, thoughts_option
from localpower.cli.sections import Command
from localpower.cli.terminal import can_redraw, notes, say, waiting, write_answer
from localpower.cli.values import Finite
from localpower.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_PROBLEM, Interrupted

if TYPE_CHECKING:
    from localpower.runs.interrupt import Interrupts
    from localpower.runs.trace import Trace
    from localpower.runs.verify import Findings


@click.command(cls=Command, short_help="Play a recorded run, or check it.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--speed",
    type=Finite(0.0),
    default=1.0,
    help="How many times as fast as it was the run is played; 0 shows it at once.",
)
@flag("--verify", "check_it", help="Every decision is checked instead of shown.")
@click.option("-m", "--model", help="With --verify, this model evaluates every token again.")
@click.option(
    "--tools",
    multiple=True,
    metavar="NAME|FILE.py",
    help="With --verify, the calls of these tools are made again; those of files run their code. Shipped tools that "
    "run no code are called again anyway.",
)
@flag("--json", "as_json", help="With --verify, one JSON object is printed.")
@thoughts_option
def replay(
    file: Path,
    speed: float,
    check_it: bool,
    model: str | None,
    tools: tuple[str, ...],
    as_json: bool,
    show_thoughts: bool,
) -> int:
    """Play the run that --events recorded in FILE, then print its answer; or check it with --verify.

    --verify recomputes every acceptance ratio, every decision and the final log p from the recorded numbers. With
    --model the numbers themselves come from a fresh evaluation of every token, rejected proposals included. Calls of
    tools are made again, and what they answer is compared.
    """
    from localpower.runs.interrupt import Interrupts
    from localpower.runs.trace import read_trace

    if (model or as_json or tools) and not check_it:
        named = "--model" if model else "--json" if as_json else "--tools"
        raise click.UsageError(f"{named} goes with --verify")
    trace = read_trace(file)
    with Interrupts() as interrupts:
        if check_it:
            return _check(trace, model, tools, as_json, interrupts)
        return _show(trace, speed, interrupts, whole=show_thoughts)


def _show(trace: Trace, speed: float, interrupts: Interrupts, *, whole: bool) -> int:
    from localpower.api.recording import texts_of, thought_of
    from localpower.cli.printed import Manner
    from localpower.runs.player import Player
    from localpower.ui.body import Fold
    from localpower.ui.live import view_on
    from localpower.ui.summary import FINISHES

    settings, thought = trace.started.settings, thought_of(trace)
    live = can_redraw()
    player = Player(trace, speed if live and speed > 0 else math.inf)
    try:
        with view_on(
            None if live else notes(),
            trace.piece,
            settings,
            trace.started.n_chains,
            len(trace.started.prompt),
            clock=lambda: player.seconds,
            fold=Fold(thought, settings.get("thinking_budget"), whole),
        ) as view:
            tallies = player.play(view, interrupts.check)
    except (Interrupted, KeyboardInterrupt):
        return EXIT_INTERRUPTED
    if not trace.whole:
        say("note: the recording ends before the run does; this is the state it reached")
    texts, picked = texts_of(trace, tallies)
    lengths = [thought.length(tally.state.tokens) if thought else None for tally in tallies]
    every = settings["pick"] == "all" and len(texts) > 1
    answers = list(zip(texts, lengths, strict=True))
    Manner(thought.marks if thought else None, whole).texts(
        answers if every else [answers[picked]], every=every
    )
    tally = tallies[picked]
    finish = FINISHES.get(tally.finish, "unfinished").format(**settings)
    say(f"seed {settings['seed']} · {finish} · log p {tally.state.total_log_p():.2f}")
    return EXIT_OK


def _check(
    trace: Trace, model: str | None, tools: tuple[str, ...], as_json: bool, interrupts: Interrupts
) -> int:
    from localpower.api.recording import check_recording

    report, findings = check_recording(trace, model, interrupts, waiting, tools)
    write_answer(json.dumps(report) if as_json else "\n".join(_lines(report, findings)))
    return EXIT_OK if report["passed"] else EXIT_PROBLEM


def _lines(report: dict[str, Any], findings: Findings) -> list[str]:
    lines = [
        f"record     {findings.n_steps} steps, {findings.n_accepted} accepted moves: " + _verdict(findings)
    ]
    lines += [f"           {problem}" for problem in findings.problems[:20]]
    if len(findings.problems) > 20:
        lines.append(f"           and {len(findings.problems) - 20} more")
    if report["evaluated_tokens"] is not None:
        gap = (
            "the same bits"
            if findings.largest == 0
            else f"log p differs by up to {findings.largest:.2g} nats"
        )
        lines.append(f"model      {findings.n_tokens} tokens evaluated again: {gap}")
        lines.append(f"           {findings.changed} decisions would be others")
    if report["observations"] is not None:
        n = report["observations"]
        lines.append(f"tools      {n} answer{'' if n == 1 else 's'} compared with what the tools answer now")
    lines.append(f"verdict    {'passed' if report['passed'] else 'FAILED'} in {report['seconds']:.1f} s")
    return lines


def _verdict(findings: Findings) -> str:
    if not findings.problems and findings.unchecked:
        return f"what is checked is what it says; not checked: {findings.unchecked}"
    if not findings.problems:
        return "every ratio, decision and sum is what it says"
    n = len(findings.problems)
    return f"{n} contradiction{'s' if n > 1 else ''}"
