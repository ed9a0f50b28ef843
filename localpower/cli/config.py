"""`localpower config`: the user's own defaults, and where each comes from."""

from __future__ import annotations

from typing import Any

import click

from localpower.errors import EXIT_OK, UsageProblem

_WIDTH = 13  # of the names of settings


@click.group("config", invoke_without_command=True, short_help="Show or change your own defaults.")
@click.option("--debug", is_flag=True, help="A problem is shown with its traceback.")
@click.pass_context
def config(ctx: click.Context, debug: bool) -> int:
    """Show your own defaults, and where each comes from.

    A command line goes before a variable of the environment (LOCALPOWER_ALPHA for --alpha), that before the
    configuration file, and that before what is built in. In the file, [run] and [chat] hold what is for one of them.
    """
    from localpower.api.config import KEYS, path, values
    from localpower.cli.terminal import write_answer

    if ctx.invoked_subcommand is not None:
        return EXIT_OK
    chat, run = values("chat"), values("run")
    lines = [f"file: {path() or 'none'}"]
    for key in KEYS:
        found = {found for found in (chat.get(key), run.get(key)) if found}
        if len(found) == 2:
            lines += [_line(key, each[key], f" [{name}]") for name, each in (("run", run), ("chat", chat))]
        elif found:
            (each,) = found
            only = "" if key in chat and key in run else f" [{'chat' if key in chat else 'run'}]"
            lines.append(_line(key, each, only))
        else:
            lines.append(f"{key:<{_WIDTH}} {_built_in(key):<20} built in")
    write_answer("\n".join(lines))
    return EXIT_OK


def _shown(value: Any) -> str:
    return ("off", "on")[value] if isinstance(value, bool) else str(value)


def _line(key: str, each: Any, only: str) -> str:
    return f"{key:<{_WIDTH}} {_shown(each.value):<20} {each.source}{only}"


def _built_in(key: str) -> str:
    param = _param(key)
    if isinstance(param, click.Option) and param.is_flag:
        return "off"
    return "automatic" if not isinstance(param.default, str | int) else str(param.default)


def _param(key: str) -> click.Parameter:
    from localpower.cli.chat import chat

    return next(each for each in chat.params if f"--{key}" in each.opts)


@config.command("set", short_help="Set a default.", context_settings={"ignore_unknown_options": True})
@click.argument("key", shell_complete=lambda ctx, param, typed: keys(typed))
@click.argument("value")
def set_(key: str, value: str) -> int:
    """Set the default of the setting KEY, such as alpha, to VALUE."""
    from localpower.api.config import write

    where = write(_known(key), _value(key, value))
    _say(f"{key} is set in {where}")
    return EXIT_OK


@config.command("unset", short_help="Go back to what is built in.")
@click.argument("key", shell_complete=lambda ctx, param, typed: keys(typed))
def unset(key: str) -> int:
    """Take the setting KEY out of the configuration file."""
    from localpower.api.config import write

    _say(f"{key} is no longer set in {write(_known(key), None)}")
    return EXIT_OK


def keys(typed: str) -> list[str]:
    """Names of settings that begin so."""
    from localpower.api.config import KEYS

    return [key for key in KEYS if key.startswith(typed)]


def _say(line: str) -> None:
    from localpower.cli.terminal import say

    say(line)


def _known(key: str) -> str:
    from localpower.api.config import KEYS

    key = key.replace("_", "-")
    if key not in KEYS:
        raise click.UsageError(f"{key} is no setting; settings: {', '.join(KEYS)}")
    return key


def _value(key: str, text: str) -> Any:
    """As the command line would read it. Raises click's UsageError."""
    return _read(_param(_known(key)), text)


_COMMANDS = ("run", "chat", "eval", "bench", "selftest")  # for others --model, say, means something else


def defaults(command: click.Command, name: str) -> dict[str, Any]:
    """The user's own defaults for a command, by its parameters. Raises UserError that names where one comes from."""
    from localpower.api.config import values

    names = {opt.lstrip("-"): param for param in command.params for opt in param.opts}
    found = {}
    for key, each in values(name).items() if name in _COMMANDS else ():
        param = names.get(key)
        if param is None or param.name is None:
            continue
        try:
            value = _read(param, str(each.value))
        except click.UsageError as error:
            raise UsageProblem(f"{each.source}: {key}: {error.message}") from None
        found[param.name] = [value] if param.multiple else value
    return found


def _read(param: click.Parameter, text: str) -> Any:
    """As the command line would read it. Raises click's UsageError."""
    flag = isinstance(param, click.Option) and param.is_flag
    return (click.BOOL if flag else param.type).convert(text, param, None)
