"""`localpower completion`: what a shell needs to complete commands, options and their values."""

from __future__ import annotations

from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem, get_completion_class

SHELLS = ("bash", "zsh", "fish")
_VARIABLE = "_LOCALPOWER_COMPLETE"


@click.command("completion", short_help="Print what a shell needs to complete commands.")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of SHELL.

    bash: add `eval "$(localpower completion bash)"` to ~/.bashrc. zsh: the same with zsh, to ~/.zshrc. fish: write the
    output to ~/.config/fish/completions/localpower.fish.
    """
    from localpower.cli.terminal import write_answer

    kind = get_completion_class(shell)
    assert kind is not None
    write_answer(kind(ctx.find_root().command, {}, "localpower", _VARIABLE).source())


def _begun(names: Iterable[str], typed: str, *, files: bool = False) -> list[CompletionItem]:
    """The names that go on as it was typed, and files where they may stand there too."""
    found = [CompletionItem(name) for name in names if name.startswith(typed)]
    return [*found, CompletionItem(typed, type="file")] if files else found


def models(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Names of the models that are here, aliases, and files."""
    from localpower.api.models import here

    return _begun(here(), typed, files=True)


def to_pull(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Names of the catalogue's models that are not here."""
    from localpower.api.models import here
    from localpower.catalogue import ENTRIES

    there = set(here())
    return _begun((name for name in ENTRIES if name not in there), typed)


def aliases(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """The user's own names of models."""
    from localpower.api.aliases import known

    return _begun(known(), typed)


def methods(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """A method's name, then the names of its settings. The last of several counts."""
    from localpower.registry import find, names

    before, comma, last = typed.rpartition(",")
    name, colon, rest = last.partition(":")
    if not colon:
        return _begun((f"{before}{comma}{each}" for each in names()), typed)
    head = typed[: len(typed) - len(rest.rpartition(":")[2])]
    options = find(name).options() if name in names() else ()
    return _begun((f"{head}{each.name}=" for each in options), typed)


def sessions(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Chats that are kept."""
    from localpower.api.sessions import names

    return _begun(names(), typed)


def tasks(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Names of tasks, and task files."""
    from localpower.api.tasks import names

    return _begun(names(), typed, files=True)


def presets(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Built-in ones and the user's own."""
    from localpower.api.presets import BUILT_IN, NO_PRESET
    from localpower.api.presets import presets as known
    from localpower.errors import UserError

    try:
        names = known()
    except UserError:  # a damaged file
        names = BUILT_IN
    return _begun((*names, NO_PRESET), typed)


def settings(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Settings of the configuration file; those of a table once its name is there."""
    from localpower.api.config import KEYS, PRESET, PRESETS, SECTIONS

    table, dot, _ = typed.rpartition(".")
    if not dot:
        return _begun((*KEYS, *(f"{each}." for each in (*SECTIONS, PRESETS))), typed)
    return _begun((f"{table}.{key}" for key in (KEYS if table in SECTIONS else PRESET)), typed)
