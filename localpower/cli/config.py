"""`localpower config`: the user's own defaults, and where each comes from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from localpower.cli import completion
from localpower.cli.sections import Group
from localpower.cli.terminal import say, tell, write_answer
from localpower.errors import UsageProblem, UserError

if TYPE_CHECKING:
    from localpower.api.config import Value

_WIDTH = 15  # of the names of settings


@click.group("config", cls=Group, invoke_without_command=True, short_help="Show or change your own defaults.")
@click.pass_context
def config(ctx: click.Context) -> None:
    """Show your own defaults, and where each comes from.

    A command line goes before a preset (--preset), that before a variable of the environment (LOCALPOWER_ALPHA for
    --alpha), that before the configuration file, and that before what is built in. In the file, [run] and [chat] hold
    what is for one of them, and [presets.NAME] a preset.
    """
    from localpower.api.config import KEYS, path

    if ctx.invoked_subcommand is not None:
        return
    problems: dict[str, None] = {}
    found = {name: _in_force(name, problems) for name in ("run", "chat")}
    tell(problems)
    lines = [f"file: {path() or 'none'}"]
    for key in KEYS:
        rows = {name: _line(key, own.get(key)) for name, own in found.items()}
        if rows["run"] == rows["chat"]:
            lines.append(rows["run"])
            continue
        if key == "no-session" and key not in found["run"]:  # run has no sessions
            del rows["run"]
        lines += [f"{line} [{name}]" for name, line in rows.items()]
    write_answer("\n".join(lines))


def _in_force(command: str, problems: dict[str, None]) -> dict[str, Value]:
    """The defaults of a command, its preset's among them. A preset that is not there is a problem and no error."""
    from localpower.api.config import Value, values
    from localpower.api.presets import NO_PRESET, preset

    found = values(command)
    name = str(found["preset"].value) if "preset" in found else NO_PRESET
    try:
        of_preset = {} if name == NO_PRESET else preset(name).settings
    except UserError as error:  # the list is how one finds where it is named
        problems[error.line()] = None
        of_preset = {}
    return found | {key: Value(value, f"preset {name}") for key, value in of_preset.items()}


def shown(value: Any) -> str:
    """A value for people."""
    if isinstance(value, list | tuple):
        return " · ".join(map(repr, value))
    return ("off", "on")[value] if isinstance(value, bool) else str(value)


def _line(key: str, each: Value | None) -> str:
    value, source = (shown(each.value), each.source) if each else (_built_in(key), "built in")
    return f"{key:<{_WIDTH}} {value:<20} {source}"


def _built_in(key: str) -> str:
    param = _param(key)
    if isinstance(param, click.Option) and param.is_flag and key != "think":
        return shown(param.default is True)
    if isinstance(param.default, str | int):
        return str(param.default)
    if isinstance(param, click.Option) and (
        told := re.search(r"\[default: (?:[A-Z_]+, else )?([^],]{1,20})[],]", param.help or "")
    ):
        return told[1]  # longer ones say how it is found
    return "none" if param is _FOLDER or key in ("preset", "system", "stop") else "automatic"


_FOLDER = click.Option(
    ["--models-folder"], type=click.Path(exists=True, file_okay=False, resolve_path=True)
)  # of no command


def _param(key: str) -> click.Parameter:
    if key == "models-folder":
        return _FOLDER
    from localpower.cli.chat import chat

    return _by_option(chat)[key]


@config.command(
    "set", cls=click.Command, short_help="Set a default.", context_settings={"ignore_unknown_options": True}
)
@click.argument("key", shell_complete=completion.settings)
@click.argument("values", nargs=-1, required=True, metavar="VALUE")
def set_(key: str, values: tuple[str, ...]) -> None:
    """Set the default of the setting KEY, such as alpha, to VALUE.

    chat.KEY and run.KEY are for one command, presets.NAME.KEY for a preset. stop may have several VALUEs.
    """
    from localpower.api.config import place_of, write

    place = place_of(key)
    param = _param(place.key)
    found = [_read(param, text) for text in values]
    if len(found) > 1 and not param.multiple:
        raise click.UsageError(f"{place} has one value, got {len(found)}")
    if place.key == "preset":
        _known_preset(found[0])
    say(f"{place} is set in {write(place, found if len(found) > 1 else found[0])}")


@config.command("unset", cls=click.Command, short_help="Go back to what is built in.")
@click.argument("key", shell_complete=completion.settings)
def unset(key: str) -> None:
    """Take the setting KEY out of the configuration file."""
    from localpower.api.config import place_of, write

    place = place_of(key)
    say(f"{place} is no longer set in {write(place, None)}")


def _known_preset(name: str) -> None:
    from localpower.api.presets import NO_PRESET, preset

    if name != NO_PRESET:
        preset(name)


_COMMANDS = ("run", "chat", "eval", "bench", "selftest")  # for others --model, say, means something else


def defaults(command: click.Command, name: str) -> dict[str, Any]:
    """The user's own defaults for a command, by its parameters. Raises UserError that names where one comes from."""
    from localpower.api.config import values

    return _by_parameter(command, values(name)) if name in _COMMANDS else {}


def preset_defaults(command: click.Command, name: str) -> tuple[dict[str, Any], list[str]]:
    """What a preset sets, by a command's parameters, and the settings that the command does not have.

    Raises UserError that names the preset.
    """
    from localpower.api.config import Value
    from localpower.api.presets import preset

    found = preset(name)
    source = f"preset {name} ({found.source})"
    named = _by_option(command)
    return _by_parameter(command, {key: Value(value, source) for key, value in found.settings.items()}), [
        key for key in found.settings if key not in named
    ]


def _by_option(command: click.Command) -> dict[str, click.Parameter]:
    return {opt.lstrip("-"): param for param in command.params for opt in param.opts}


def _by_parameter(command: click.Command, own: Mapping[str, Value]) -> dict[str, Any]:
    """Values as the command line would read them, by the names of parameters."""
    named, found = _by_option(command), {}
    for key, each in own.items():
        param = named.get(key)
        if param is None or param.name is None:
            continue
        texts = each.value if isinstance(each.value, list) else [each.value]
        try:
            values = [_read(param, str(text)) for text in texts]
        except click.UsageError as error:
            raise UsageProblem(f"{each.source}: {key}: {error.message}") from None
        found[param.name] = values if param.multiple else values[0]
    return found


def _read(param: click.Parameter, text: str) -> Any:
    """As the command line would read it. Raises click's UsageError."""
    flag = isinstance(param, click.Option) and param.is_flag
    return (click.BOOL if flag else param.type).convert(text, param, None)
