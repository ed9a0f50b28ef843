"""`localpower chat`: a conversation in the terminal, every turn power-sampled."""

from __future__ import annotations

import secrets
import signal
from typing import Any, NoReturn

import click

from localpower.cli.options import (
    engine_options,
    prompt_options,
    quiet_option,
    refused_options,
    sampling_options,
)
from localpower.cli.sections import Command
from localpower.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_PROBLEM, ContextFull, OutputClosed, UserError


@click.command(cls=Command, short_help="Talk with the model in the terminal.")
@sampling_options
@prompt_options
@engine_options
@quiet_option
@refused_options
@click.pass_context
def chat(ctx: click.Context, /, **options: Any) -> int:
    """Talk with the model; every answer is a sample towards p(answer | conversation)^alpha.

    Answers go to stdout, everything else to stderr. The evaluated conversation is kept between turns. The first answer
    uses --seed, each further one the next number. Without a terminal every line of stdin is a message.
    """
    from localpower.api.question import notes
    from localpower.cli.requests import given, open_model, prompting, sampling, typed_stops, unused
    from localpower.cli.slash import HELP
    from localpower.cli.talk import Talk, interactive
    from localpower.cli.terminal import say
    from localpower.runs.interrupt import ENDING, Interrupts
    from localpower.ui.editor import Editor, PipeEditor, TerminalEditor

    how, wording = sampling(options), prompting(options)
    interrupts = Interrupts()
    with interrupts:
        loaded = open_model(options, interrupts)
    idle = unused(options["method"], given(ctx))
    for note in [*notes(loaded, how, wording), *typed_stops(options), *idle]:
        say(f"note: {note}")
    seed = options["seed"] if options["seed"] is not None else secrets.randbits(32)
    talk = Talk(loaded, options, seed, interrupts)
    typed = interactive()
    editor: Editor = TerminalEditor(HELP) if typed else PipeEditor()
    if typed:
        say(f"{loaded.info.name} · /help lists the commands, Ctrl-D leaves")
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _leave)
    return _converse(talk, editor, ctx, typed=typed)


def _leave(number: int, frame: object) -> NoReturn:
    raise SystemExit(EXIT_INTERRUPTED)  # no Exception: the line editor's event loop would only log that


def _converse(talk: Any, editor: Any, ctx: click.Context, *, typed: bool) -> int:
    """Until the end of the input. A problem costs its turn and, where nobody types, a clean exit code."""
    from localpower.cli.slash import obey
    from localpower.cli.terminal import say
    from localpower.ui.editor import read_message

    code = EXIT_OK
    while not talk.ended:
        try:
            message = read_message(editor, ">>> ")
            if not obey(message.text, talk, ctx, literal=message.literal):
                return code
            if talk.interrupted and not typed:
                return EXIT_INTERRUPTED
        except EOFError:
            return code
        except KeyboardInterrupt:
            if not typed:
                raise
            say("(Ctrl-D or /exit leaves)")
        except OutputClosed:
            raise
        except (UserError, click.UsageError) as error:
            if isinstance(error, ContextFull):
                error.hint = "/clear forgets the conversation; /set max-tokens N lets answers be shorter"
            line = error.line() if isinstance(error, UserError) else error.format_message()
            say(f"localpower: {line}", always=True)
            code = EXIT_OK if typed else EXIT_PROBLEM
    return EXIT_INTERRUPTED
