"""`localpower completion`: what a shell needs to complete commands, options and their values."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem, get_completion_class

from localpower.errors import EXIT_OK

SHELLS = ("bash", "zsh", "fish")
_VARIABLE = "_LOCALPOWER_COMPLETE"


@click.command("completion", short_help="Print what a shell needs to complete commands.")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> int:
    """Print the completion script of SHELL.

    bash: add `eval "$(localpower completion bash)"` to ~/.bashrc. zsh: the same with zsh, to ~/.zshrc. fish: write the
    output to ~/.config/fish/completions/localpower.fish.
    """
    from localpower.cli.terminal import write_answer

    kind = get_completion_class(shell)
    assert kind is not None
    write_answer(kind(ctx.find_root().command, {}, "localpower", _VARIABLE).source())
    return EXIT_OK


def models(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Names of the models that are here, aliases, and files."""
    from localpower.api.models import here

    names = [name for name in here() if name.startswith(typed)]
    return [*map(CompletionItem, names), CompletionItem(typed, type="file")]


def to_pull(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Names of the catalogue's models that are not here."""
    from localpower.api.models import here
    from localpower.catalogue import ENTRIES

    there = set(here())
    return [CompletionItem(name) for name in ENTRIES if name.startswith(typed) and name not in there]


def aliases(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """The user's own names of models."""
    from localpower.api.aliases import known

    return [CompletionItem(name) for name in known() if name.startswith(typed)]


def methods(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """A method's name, then the names of its settings. The last of several counts."""
    from localpower.registry import find, names

    before, comma, last = typed.rpartition(",")
    name, colon, rest = last.partition(":")
    if not colon:
        return [CompletionItem(f"{before}{comma}{each}") for each in names() if each.startswith(last)]
    done, _, begun = rest.rpartition(":")
    head = f"{before}{comma}{name}:" + (f"{done}:" if done else "")
    options = find(name).options() if name in names() else ()
    return [CompletionItem(f"{head}{each.name}=") for each in options if each.name.startswith(begun)]


def sessions(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Chats that are kept."""
    from localpower.api.sessions import names

    return [CompletionItem(name) for name in names() if name.startswith(typed)]


def tasks(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Names of tasks, and task files."""
    from localpower.api.tasks import names

    return [
        *(CompletionItem(name) for name in names() if name.startswith(typed)),
        CompletionItem(typed, type="file"),
    ]


def presets(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Built-in ones and the user's own."""
    from localpower.api.presets import BUILT_IN, NO_PRESET
    from localpower.api.presets import presets as known
    from localpower.errors import UserError

    try:
        names = [*known(), NO_PRESET]
    except UserError:  # a damaged file
        names = [*BUILT_IN, NO_PRESET]
    return [CompletionItem(name) for name in names if name.startswith(typed)]


def settings(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Settings of the configuration file; those of a table once its name is there."""
    from localpower.api.config import KEYS, PRESET, PRESETS, SECTIONS

    table, dot, _ = typed.rpartition(".")
    if not dot:
        names = [*KEYS, *(f"{each}." for each in (*SECTIONS, PRESETS))]
    else:
        names = [f"{table}.{key}" for key in (KEYS if table in SECTIONS else PRESET)]
    return [CompletionItem(name) for name in names if name.startswith(typed)]
