"""What a line does in a chat: a message is answered, a command that begins with a slash is obeyed."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import NamedTuple

import click

from localpower.cli import slash_files, slash_settings, slash_turns
from localpower.cli.slash_settings import SHORT, say
from localpower.cli.talk import Talk
from localpower.errors import UserError


class Entry(NamedTuple):
    """A command. words: what it does; run: does it, with the text after its name."""

    words: str
    run: Callable[[Talk, click.Context, str], None]
    alone: bool = False  # it takes no text


def _help(talk: Talk, ctx: click.Context, rest: str) -> None:
    width = max(map(len, COMMANDS))
    for name, entry in COMMANDS.items():
        say(f"{name:<{width}}  {entry.words}")
    say(f"{'/exit':<{width}}  leave (also Ctrl-D)")
    say(_KEYS)


_KEYS = (
    'Enter sends, Alt-Enter begins a new line, """ opens and closes a text of many lines, // sends a text '
    "that begins with a slash, as pasting it does. Tab completes, Ctrl-X Ctrl-E opens your editor. "
    "Ctrl-C stops an answer and keeps what was accepted."
)
COMMANDS: dict[str, Entry] = {
    "/help": Entry("this list", _help, alone=True),
    "/set": Entry("the settings; /set NAME shows one, /set NAME VALUE changes it", slash_settings.set_),
    **{
        f"/{name}": Entry(f"the same as /set {name}", slash_settings.shortcut(name))
        for name in SHORT
        if name != "seed"
    },
    "/seed": Entry("the seed of the next answer; /seed N changes it", slash_settings.seed),
    "/regen": Entry(
        "draw another answer to the last message; the others are kept",
        lambda talk, *_: talk.again(),
        alone=True,
    ),
    "/alt": Entry("go on from the next of the answers to the last message", slash_turns.alternative),
    "/raw": Entry(
        "the last answer as the model wrote it, without Markdown",
        lambda talk, *_: talk.show(raw=True),
        alone=True,
    ),
    "/thought": Entry("what the model thought before the last answer", slash_turns.thought, alone=True),
    "/undo": Entry("take back the last message and its answers", slash_turns.undo, alone=True),
    "/edit": Entry("/edit TEXT puts TEXT in the place of the last message", slash_turns.edit),
    "/drop": Entry("/drop N forgets the N oldest turns", slash_turns.drop),
    "/clear": Entry("forget the conversation", slash_turns.clear, alone=True),
    "/trace": Entry("how the last answer came about: its accepted states", slash_turns.trace, alone=True),
    "/diagnose": Entry("how well the last run went", slash_turns.diagnose, alone=True),
    "/stats": Entry("what each answer cost", slash_turns.stats, alone=True),
    "/read": Entry("/read FILE puts the text of FILE before the next message", slash_files.read),
    "/save": Entry("/save NAME keeps this chat as the session NAME", slash_files.save),
    "/load": Entry("/load NAME goes on with the session NAME", slash_files.load),
    "/export": Entry("/export FILE.md or FILE.json writes the conversation", slash_files.export),
    "/model": Entry("the model; /model NAME goes on with another", slash_files.model),
}
HELP = (*COMMANDS, "/exit")
_ELSEWHERE = {  # what other programs call it
    **dict.fromkeys(("/retry", "/regenerate", "/again"), "/regen"),
    **dict.fromkeys(("/reset", "/new", "/forget"), "/clear"),
    **dict.fromkeys(("/file", "/include", "/attach", "/glob"), "/read"),
    **dict.fromkeys(("/show", "/info"), "/model"),
    **dict.fromkeys(("/session", "/resume", "/continue"), "/load"),
    **dict.fromkeys(("/role", "/prompt", "/persona"), "/system"),
    **dict.fromkeys(("/copy", "/write"), "/export"),
    **dict.fromkeys(("/think", "/nothink"), "/set think"),
}


def _instead(name: str, ctx: click.Context) -> str:
    """What to type in the place of a command that there is none of."""
    meant = _ELSEWHERE.get(name)
    if meant is None and name[1:] in slash_settings.names(ctx):
        meant = f"/set {name[1:]}"
    if meant is None:
        meant = next(iter(get_close_matches(name, HELP, 1)), None)
    near = f"did you mean {meant}? " if meant else ""
    return f"{near}/help lists them; // begins a message with a slash"


def obey(line: str, talk: Talk, ctx: click.Context, *, literal: bool = False) -> bool:
    """Run a line; False when the chat is to end. Raises UserError, and click's UsageError, for what it cannot do.

    literal: it is a message, whatever it begins with; so is a text of several lines.
    """
    literal = literal or "\n" in line.strip()
    if literal or line.startswith("//") or not line.startswith("/"):
        if line.strip():
            talk.say(line[1:] if line.startswith("//") and not literal else line)
        return True
    name, _, rest = line.partition(" ")
    name = {"/?": "/help"}.get(name, name)
    if name.lower() in ("/exit", "/quit", "/bye") and not rest.strip():
        return False
    entry = COMMANDS.get(name.lower())
    if entry is None:
        raise UserError(f"there is no command {name}", _instead(name.lower(), ctx))
    if entry.alone and rest.strip():
        raise UserError(f"{name} takes no text", "// begins a message with a slash")
    try:
        entry.run(talk, ctx, rest.strip())
    except OSError as error:
        place = f": {error.filename}" if error.filename else ""
        raise UserError(f"{error.strerror or error}{place}") from None
    return True
