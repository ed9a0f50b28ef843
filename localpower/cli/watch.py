"""`localpower watch`: the live view of an answer that a server is drawing."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import click

from localpower.cli.options import flag, quiet_option, thoughts_option
from localpower.cli.sections import Plain
from localpower.cli.terminal import can_redraw, notes, say
from localpower.errors import EXIT_INTERRUPTED, EXIT_OK, Interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localpower.server.told import Told


@click.command("watch", cls=Plain, short_help="Watch an answer that a server is drawing.")
@click.argument("url")
@flag("--once", help="The command ends with the first answer instead of waiting for the next.")
@thoughts_option
@quiet_option
def watch(url: str, once: bool, quiet: bool, show_thoughts: bool) -> int:
    """Watch the answers that the server at URL is drawing, one after another, in the view of `run`.

    The server must have been started with --allow-watch. Where it asks for a key, LOCALPOWER_API_KEY holds it. Each
    answer is printed when it is there; Ctrl-C stops watching, and disturbs no answer.
    """
    from localpower.server.told import events

    key = os.environ.get("LOCALPOWER_API_KEY", "").strip()
    say(f"waiting for an answer of {url}; Ctrl-C stops")
    try:
        while True:
            _show(events(url, key), whole=show_thoughts)
            if once:
                return EXIT_OK
    except (KeyboardInterrupt, Interrupted):
        return EXIT_INTERRUPTED


def _show(told: Iterator[Told], *, whole: bool) -> None:
    """One answer: live where stderr can be redrawn, then its text on stdout."""
    from localpower.cli.printed import Manner
    from localpower.runs.tally import Tally
    from localpower.text.stops import answer_text
    from localpower.text.thinking import Thought
    from localpower.ui.body import Fold
    from localpower.ui.live import view_on
    from localpower.ui.summary import FINISHES

    pieces: dict[int, bytes] = {}

    def piece(token: int) -> bytes:
        return pieces.get(token, b"")

    first = next(told, None)
    if first is None or first.started is None:
        time.sleep(1.0)  # the server has ended the stream before an answer began
        return
    settings = first.started.settings
    marks = settings.get("thought_marks")
    thought = Thought.after((marks[0], marks[1]), (), piece) if marks else None
    view = view_on(
        None if can_redraw() else notes(),
        piece,
        settings,
        1,
        0,
        fold=Fold(thought, settings.get("thinking_budget"), whole),
    )
    tally = Tally()
    with view:
        for each in told:
            pieces |= each.pieces
            if each.event is not None:
                tally = tally.add(each.event)
                view.event(0, each.event)
            else:
                view.asked(0, each.asked)
    text = answer_text(tally.state.tokens, piece, [stop.encode() for stop in settings["stops"]])
    Manner(thought.marks if thought else None, whole).texts(
        [(text, thought.length(tally.state.tokens) if thought else None)]
    )
    finish = FINISHES.get(tally.finish, "unfinished").format(**settings)
    say(f"{settings['method']} · seed {settings['seed']} · {finish} · log p {tally.state.total_log_p():.2f}")
