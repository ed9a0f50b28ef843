"""`localpower sessions`: the chats that are kept."""

from __future__ import annotations

import json

import click

from localpower.cli import completion
from localpower.cli.options import flag
from localpower.cli.sections import Group
from localpower.cli.terminal import say, write_answer
from localpower.errors import UserError


@click.group("sessions", cls=Group, short_help="List, show or remove the chats that are kept.")
def sessions() -> None:
    """List, show or remove the chats that are kept.

    A chat in a terminal is kept while it goes on. `localpower chat --continue` goes on with the last one, and
    `localpower chat --session NAME` with the one called NAME.
    """


@sessions.command("list", short_help="List the chats that are kept, the last one first.")
def list_() -> None:
    """List the chats that are kept, the last one first."""
    from localpower.api.sessions import names, read
    from localpower.ui.view import harmless

    rows = []
    for name in names():
        try:
            kept = read(name)
        except UserError as error:
            say(f"note: {error.line()}")
            continue
        turns = f"{kept.n_turns} turn{'s' if kept.n_turns != 1 else ''}"
        rows.append(f"{name:<20}  {kept.updated:%Y-%m-%d %H:%M}  {turns:>9}  {kept.model}: {kept.title[:60]}")
    write_answer("\n".join(map(harmless, rows)) if rows else "No chats are kept.")


@sessions.command("show", short_help="Show what was said in a chat.")
@click.argument("name", shell_complete=completion.sessions)
@flag("--json", "as_json", help="The session is printed as it is kept, as JSON.")
def show(name: str, as_json: bool) -> None:
    """Show what was said in the chat called NAME."""
    from localpower.api.sessions import read
    from localpower.api.turns import from_json

    kept = read(name)
    turns = from_json(kept.values["chat"]["turns"])
    if as_json:
        write_answer(json.dumps(kept.values))
    else:
        write_answer("\n\n".join(f">>> {turn.question}\n{turn.answer.text}" for turn in turns), prose=True)


@sessions.command("rm", short_help="Remove chats.")
@click.argument("names", nargs=-1, required=True, metavar="NAME...", shell_complete=completion.sessions)
def remove(names: tuple[str, ...]) -> None:
    """Remove the chats called NAME."""
    from localpower.api.sessions import remove as gone

    for name in names:
        gone(name)
        say(f"{name} is removed")
