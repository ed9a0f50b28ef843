"""`localpower log`: the answers that were given on this machine."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from localpower.cli.options import WHOLE, flag
from localpower.cli.sections import Group
from localpower.cli.terminal import say, write_answer
from localpower.errors import UserError

if TYPE_CHECKING:
    from localpower.api.log import Entry

_SHOWN = 10


def _ids(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    from localpower.api.log import entries

    try:
        found = reversed(entries())
    except UserError:
        return []
    return [CompletionItem(each.id, help=_begins(each.prompt)) for each in found if each.id.startswith(typed)]


_NUMBER = click.option("-n", "--number", type=WHOLE, default=_SHOWN, help="Most entries that are listed.")
_JSON = flag("--json", "as_json", help="Each entry is printed as a JSON line.")


@click.group(
    "log", cls=Group, invoke_without_command=True, short_help="List and search the answers that were given."
)
@click.pass_context
def log(ctx: click.Context) -> None:
    """List and search the answers that were given on this machine, the last one first.

    Every answer of run and chat is kept in a file on this machine, which only you may read: the prompt, the answer, its
    settings and its numbers. The oldest entries go when the file has more than 16 MiB. `localpower log off`,
    LOCALPOWER_LOG=off, run --no-log and chat --no-log or --no-session keep nothing.
    """
    if ctx.invoked_subcommand is None:
        _list(_SHOWN, "", as_json=False)


@log.command("list", short_help="List the last answers.")
@click.option(
    "-q",
    "--query",
    default="",
    show_default=False,
    metavar="TEXT",
    help="Only answers with TEXT in them or in their prompt.",
)
@_NUMBER
@_JSON
def list_(number: int, query: str, as_json: bool) -> None:
    """List the last answers, the last one first."""
    _list(number, query, as_json=as_json)


@log.command("search", short_help="List the answers that hold a text.")
@click.argument("text")
@_NUMBER
@_JSON
def search(number: int, text: str, as_json: bool) -> None:
    """List the answers with TEXT in them or in their prompt, in capitals or not."""
    _list(number, text, as_json=as_json)


@log.command("show", short_help="Show an answer and its prompt.")
@click.argument("id_", required=False, metavar="ID", shell_complete=_ids)
@flag("--json", "as_json", help="The entry is printed as it is kept, as JSON.")
def show(id_: str | None, as_json: bool) -> None:
    """Show the answer whose ID begins so, or the last one, with its prompt and settings."""
    from localpower.api.log import entries, find

    if id_ is None:
        known = entries(say)
        if not known:
            raise UserError("the log has no entries")
        entry = known[-1]
    else:
        entry = find(id_, say)
    if as_json:
        write_answer(json.dumps(entry.to_dict()))
        return
    cut = "" if entry.prompt_length == len(entry.prompt) else f" (of {entry.prompt_length:,} characters)"
    facts = [
        f"{entry.id} · {_when(entry.time)} · {entry.command}{f' · session {entry.session}' if entry.session else ''}",
        f"{entry.model}, {entry.method}, alpha {entry.alpha:g} · seed {entry.seed} · {_finish(entry.finish)} · "
        f"{entry.n_tokens} token{'s' * (entry.n_tokens != 1)} · log p {entry.log_p:.2f} · {entry.seconds:.1f} s",
        *([f"system: {entry.system}"] if entry.system else []),
    ]
    for line in facts:
        say(line, always=True)
    write_answer(f">>> {entry.prompt}{cut}\n{entry.text}", prose=True)


@log.command("rm", short_help="Remove entries.")
@click.argument("ids", nargs=-1, metavar="ID...", shell_complete=_ids)
@flag("--all", "everything", help="All entries are removed.")
def remove(ids: tuple[str, ...], everything: bool) -> None:
    """Remove the entries with these IDs."""
    from localpower.api.log import clear
    from localpower.api.log import remove as gone

    if bool(ids) == everything:
        raise click.UsageError("name the entries to remove, or give --all")
    n = clear() if everything else gone(ids)
    say(f"{n} {'entry is' if n == 1 else 'entries are'} removed")


@log.command("path", short_help="Print where the log lies.")
def path() -> None:
    """Print where the log lies, or would lie."""
    from localpower.api.log import path as where

    found = where()
    if found is None:
        raise UserError("there is no folder in which a log could be kept", "LOCALPOWER_STATE names one")
    write_answer(str(found))


@log.command("on", short_help="Keep answers from now on.")
def on() -> None:
    """Keep answers from now on: the same as `localpower config set log on`."""
    _switch(to=True)


@log.command("off", short_help="Keep nothing from now on.")
def off() -> None:
    """Keep nothing from now on: the same as `localpower config set log off`. What was kept stays."""
    _switch(to=False)


def _switch(*, to: bool) -> None:
    from localpower.api.config import Place, values, variable, write

    where = write(Place("", "log"), to)
    say(f"the log is {'on' if to else 'off'} from now on, as {where} says")
    for name in ("run", "chat"):
        found = values(name)["log"]
        if str(found.source) == variable("log"):
            say(f"note: {found.source}={found.value} goes before that")
            break


def _list(number: int, query: str, *, as_json: bool) -> None:
    from localpower.api.log import entries

    found = [entry for entry in reversed(entries(say)) if not query or entry.has(query)][:number]
    if as_json:
        write_answer("\n".join(json.dumps(entry.to_dict()) for entry in found)) if found else None
    elif not found:
        write_answer(f"No entry has {query!r} in it." if query else "The log has no entries.")
    else:
        write_answer("\n".join(map(_line, found)))


def _line(entry: Entry) -> str:
    """One line: what it was, and how its prompt begins."""
    name = f"{entry.model} {entry.method}"
    numbers = f"{entry.n_tokens:>5} tokens  log p {entry.log_p:>8.1f}"
    return f"{entry.id}  {_when(entry.time)}  {name:<18.30}  {numbers}  {_begins(entry.prompt)}"


def _finish(finish: str) -> str:
    """In the words of the line below an answer, as far as the log knows enough for them."""
    from localpower.ui.summary import FINISHES

    return FINISHES.get(finish, finish).partition(" {")[0]


def _when(time: str) -> str:
    try:
        return f"{datetime.datetime.fromisoformat(time):%Y-%m-%d %H:%M}"
    except ValueError:
        return time[:16]


def _begins(text: str) -> str:
    return " ".join(text[:200].split())[:48]
