"""`localpower chat`: a conversation in the terminal, every turn power-sampled."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any, NoReturn

import click

from localpower.cli import completion
from localpower.cli.options import (
    engine_options,
    flag,
    log_option,
    prompt_options,
    quiet_option,
    sampling_options,
    thoughts_option,
)
from localpower.cli.refused import refused_options
from localpower.cli.sections import Command
from localpower.cli.terminal import interactive, say, tell
from localpower.cli.tool_options import tool_options
from localpower.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_PROBLEM, OutputClosed, UserError

if TYPE_CHECKING:
    from localpower.api.sessions import Session


@click.command(cls=Command, short_help="Talk with the model in the terminal.")
@sampling_options
@prompt_options
@tool_options
@engine_options
@flag("--continue", "go_on", help="The chat goes on with the session that was written last.")
@click.option(
    "--session",
    metavar="NAME",
    shell_complete=completion.sessions,
    help="The chat goes on with the session NAME, or begins it.",
)
@flag("--no-session", help="The chat is not kept.  [default: it is, where somebody types]")
@flag("--no-markdown", help="Answers are printed as the model wrote them.")
@thoughts_option
@log_option
@quiet_option
@refused_options
@click.pass_context
def chat(ctx: click.Context, /, go_on: bool, session: str | None, no_session: bool, **options: Any) -> int:
    """Talk with the model; every answer is a sample towards p(answer | conversation)^alpha.

    Answers go to stdout, everything else to stderr. The evaluated conversation is kept between turns. The first answer
    uses --seed, each further one the next number. Without a terminal every line of stdin is a message.

    A chat in a terminal is written down after every turn, as a session: `localpower sessions` lists them.
    """
    from localpower.api.question import check_traces
    from localpower.api.request import chosen_seed
    from localpower.cli.pull import offer
    from localpower.cli.requests import (
        first_notes,
        from_preset,
        given,
        open_model,
        prompting,
        sampling,
        tool_use,
    )
    from localpower.cli.slash_complete import Completions
    from localpower.cli.slash_files import bring_back, resume
    from localpower.cli.talk import Talk
    from localpower.runs.interrupt import ENDING, Interrupts
    from localpower.ui.editor import Editor, PipeEditor, TerminalEditor

    how, wording = sampling(options), prompting(options)
    typed = interactive()
    kept = _session(go_on, session, typed=typed, keep=not no_session)
    if kept is not None:
        ctx.call_on_close(kept.close)
    if options["tools"]:
        check_traces(how)
    offer(options["model"])
    interrupts = Interrupts()
    options["tool_use"] = tool_use(options, lambda: interrupts.requested)
    with interrupts:
        loaded = open_model(options, interrupts)
    tell(first_notes(ctx, loaded, how, wording))
    options["no_session"] = no_session
    talk = Talk(loaded, options, chosen_seed(options["seed"]), interrupts, from_preset(ctx))
    ctx.call_on_close(talk.close)
    editor: Editor = TerminalEditor(Completions(talk, ctx), keep=not no_session) if typed else PipeEditor()
    ctx.call_on_close(editor.close)
    if typed:
        say(f"{loaded.info.name} · /help lists the commands, Ctrl-D leaves")
    if kept is not None:
        talk.session = kept
        if kept.exists:
            mine = given(ctx)
            tell(bring_back(talk, kept, mine | (from_preset(ctx) if "preset" in mine else set())))
            resume(talk)
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _leave)
    return _converse(talk, editor, ctx, typed=typed)


def _session(go_on: bool, name: str | None, *, typed: bool, keep: bool) -> Session | None:
    """The session that is gone on with or begun; None: the chat is not kept. Raises UserError."""
    from localpower.api.sessions import Session, begun, names

    if go_on and name is not None:
        raise click.UsageError("--continue and --session exclude each other")
    if not keep and (go_on or name is not None):
        raise click.UsageError("--no-session excludes --continue and --session")
    if go_on:
        known = names()
        if not known:
            raise UserError("there is no session to go on with", "a chat in a terminal is kept as one")
        return Session(known[0])
    if name is not None:
        return Session(name)
    if not typed or not keep:
        return None
    try:
        return begun()
    except UserError as error:
        say(f"note: {error.line()}; this chat is not kept")
        return None


def _leave(number: int, frame: object) -> NoReturn:
    raise SystemExit(EXIT_INTERRUPTED)  # no Exception: the line editor's event loop would only log that


def _converse(talk: Any, editor: Any, ctx: click.Context, *, typed: bool) -> int:
    """Until the end of the input. A problem costs its turn and, where nobody types, a clean exit code."""
    from localpower.cli.slash import obey
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
            line = error.line() if isinstance(error, UserError) else error.format_message()
            say(f"localpower: {line}", always=True)
            code = EXIT_OK if typed else EXIT_PROBLEM
    return EXIT_INTERRUPTED
