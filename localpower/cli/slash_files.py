"""Commands of a chat about what is outside it: sessions, files, another model."""

from __future__ import annotations

from pathlib import Path

import click

from localpower.api.sessions import Session
from localpower.api.transcript import FORMS, transcript
from localpower.cli.requests import open_model
from localpower.cli.slash_settings import say
from localpower.cli.talk import Talk
from localpower.errors import UserError
from localpower.runs.interrupt import Interrupts


def save(talk: Talk, ctx: click.Context, rest: str) -> None:
    """/save: from now on the chat is kept under this name."""
    if not rest:
        raise UserError("/save needs a name for the session")
    session = Session(rest)
    if session.exists:
        session.close()
        raise UserError(f"there is a session {rest} already", "choose another name")
    session.save(talk.chat, talk.loaded.info)
    _exchange(talk, session)
    say(f"This chat is kept as {rest}.")


def load(talk: Talk, ctx: click.Context, rest: str) -> None:
    """/load: the chat goes on with what was said there."""
    if not rest:
        raise UserError("/load needs the name of a session", "localpower sessions list shows them")
    session = Session(rest)
    try:
        notes = session.load(talk.chat, talk.loaded.info)
    except UserError:
        session.close()
        raise
    _exchange(talk, session)
    for note in notes:
        say(f"note: {note}")
    resume(talk)


def resume(talk: Talk) -> None:
    """Say where a session stands."""
    turns = talk.chat.turns
    say(
        f"{len(turns)} turn{'s' if len(turns) != 1 else ''} so far"
        + (", the last of them:" if turns else ".")
    )
    if turns:
        for line in f">>> {turns[-1].question}\n{turns[-1].answer.text}".split("\n"):
            say(line)


def export(talk: Talk, ctx: click.Context, rest: str) -> None:
    """/export."""
    path = Path(rest).expanduser()
    form = path.suffix.lower()
    if form not in FORMS:
        raise UserError("/export needs a file name that ends in .md or .json")
    if path.exists():
        raise UserError(f"{path} exists already", "choose another name")
    try:
        path.write_text(transcript(talk.chat, talk.loaded.info, form), "utf-8", "surrogateescape")
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from None
    say(f"The conversation is in {path}.")


def model(talk: Talk, ctx: click.Context, rest: str) -> None:
    """/model."""
    if rest:
        options = talk.options | {"model": rest}
        with Interrupts() as interrupts:
            loaded = open_model(options, interrupts)
        talk.take(loaded)
        talk.options = options
        for note in loaded.notes:
            say(f"note: {note}")
    info = talk.loaded.info
    say(
        f"{info.name}{f' · {info.quantization}' if info.quantization else ''}{f' · {info.path}' if info.path else ''}"
    )


def _exchange(talk: Talk, session: Session) -> None:
    if talk.session is not None:
        talk.session.close()
    talk.session = session
