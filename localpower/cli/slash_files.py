"""Commands of a chat about what is outside it: sessions, files, another model."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import click

from localpower import inputs
from localpower.api.sessions import Session
from localpower.api.transcript import FORMS, transcript
from localpower.cli.requests import open_model
from localpower.cli.slash_settings import say, tell
from localpower.cli.talk import KEPT, Talk
from localpower.errors import Interrupted, UserError
from localpower.runs.interrupt import Interrupts


def save(talk: Talk, ctx: click.Context, rest: str) -> None:
    """/save: from now on the chat is kept under this name."""
    if not rest:
        raise UserError("/save needs a name for the session")
    if talk.session is not None and talk.session.name == rest:
        talk.keep()
        say(f"This chat is kept as {rest}.")
        return
    session = Session(rest)
    if session.exists:
        session.close()
        raise UserError(f"there is a session {rest} already", "choose another name")
    _exchange(talk, session)
    talk.keep()
    say(f"This chat is kept as {rest}.")


def load(talk: Talk, ctx: click.Context, rest: str) -> None:
    """/load: the chat goes on with what was said there."""
    if not rest:
        raise UserError("/load needs the name of a session", "localpower sessions list shows them")
    if talk.session is not None and talk.session.name == rest:
        raise UserError(f"this chat is the session {rest}")
    session = Session(rest)
    try:
        notes = bring_back(talk, session)
    except UserError:
        session.close()
        raise
    _exchange(talk, session)
    tell(notes)
    resume(talk)


def bring_back(talk: Talk, session: Session, given: Collection[str] = ()) -> list[str]:
    """What was said in a session and its settings, but for those that the command line has; what to say about it."""
    kept = session.options()
    options = talk.options | {key: kept[key] for key in KEPT if key in kept and key not in given}
    options |= {key: tuple(options[key]) for key in ("template_args", "stops")}
    try:
        changed = {key for key in KEPT if options[key] != talk.options[key]}
        talk.set(options)
        talk.changed |= changed
    except (UserError, TypeError, ValueError, AttributeError):
        raise UserError(f"the session {session.name} is damaged ({session.path})") from None
    return session.load(talk.chat, talk.loaded.info)


def resume(talk: Talk) -> None:
    """Say where a session stands."""
    turns = talk.chat.turns
    say(
        f"{len(turns)} turn{'s' if len(turns) != 1 else ''} so far"
        + (", the last of them:" if turns else ".")
    )
    if turns:
        answer = turns[-1].answer
        for line in f">>> {turns[-1].question}".split("\n"):
            say(line)
        text, thinking = answer.text, answer.facts.get("thinking_tokens")
        for line in (text if talk.manner.whole else talk.manner.folded(text, thinking)).split("\n"):
            say(line)
        if answer.facts.get("finish") == "interrupted":
            say("note: this answer was interrupted; /regen draws another")


def read(talk: Talk, ctx: click.Context, rest: str) -> None:
    """/read: the text of a file stands before the next message."""
    if not rest:
        raise UserError("/read needs a file", "its text stands before the next message")
    text = inputs.text(inputs.read(_path(rest), "/read takes a text file"), rest).rstrip("\r\n")
    if not text.strip():
        raise UserError(f"{rest} is empty")
    talk.waiting.append((rest, text))
    say(f"{len(text):,} characters of {rest} stand before the next message; /undo takes them back.")


def export(talk: Talk, ctx: click.Context, rest: str) -> None:
    """/export."""
    path = _path(rest)
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
        try:
            with Interrupts() as interrupts:
                loaded = open_model(options, interrupts)
        except Interrupted:
            raise UserError("stopped; the model stays") from None
        talk.take(loaded)
        talk.options = options
        tell(loaded.notes)
    info = talk.loaded.info
    say(
        f"{info.name}{f' · {info.quantization}' if info.quantization else ''}{f' · {info.path}' if info.path else ''}"
    )


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise UserError(f"there is no user of that name: {text}") from None


def _exchange(talk: Talk, session: Session) -> None:
    if talk.session is not None:
        talk.session.close()
    talk.session = session
