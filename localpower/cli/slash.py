"""What a line does in a chat: a message is answered, a command that begins with a slash is obeyed."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from localpower.cli import terminal
from localpower.cli.requests import typed_stops
from localpower.cli.talk import Talk
from localpower.errors import UserError
from localpower.registry import split

HELP = {
    "/help": "this list",
    "/set": "the settings; /set NAME VALUE changes one, /set NAME puts its default back",
    "/regen": "another answer to the last message",
    "/clear": "forget the conversation",
    "/stats": "what each turn cost",
    "/exit": "leave (also Ctrl-D)",
}
_KEYS = (
    'Enter sends, Alt-Enter begins a new line, """ opens and closes a text of many lines, // sends a text '
    "that begins with a slash, as pasting it does. Ctrl-C stops an answer and keeps what was accepted."
)
_SETTINGS = (
    *("method", "alpha", "temperature", "max_tokens", "steps", "chains", "pick", "budget"),
    *("system", "raw", "template_args", "stops"),
)

say = partial(terminal.say, always=True)  # replies to commands


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
    if name.lower() in ("/exit", "/quit", "/bye"):
        return False
    command = _COMMANDS.get(name.lower())
    if command is None:
        raise UserError(f"there is no command {name}", "/help lists them; // begins a message with a slash")
    command(talk, ctx, rest.strip())
    return True


def _help(talk: Talk, ctx: click.Context, rest: str) -> None:
    for command, words in HELP.items():
        say(f"{command:<8} {words}")
    say(_KEYS)


def _again(talk: Talk, ctx: click.Context, rest: str) -> None:
    talk.again()


def _forget(talk: Talk, ctx: click.Context, rest: str) -> None:
    talk.chat.clear()
    say("The conversation is forgotten.")


def _stats(talk: Talk, ctx: click.Context, rest: str) -> None:
    for row in talk.table():
        say(row)


def _set(talk: Talk, ctx: click.Context, rest: str) -> None:
    method, texts = split(talk.options["method"])
    if not rest:
        for each in _changeable(ctx).values():
            say(f"{_name(each):<15} {_shown(each, talk.options)}")
        for option in method.options():
            say(f"{option.name:<15} {_setting(talk.options, option)}")
        return
    name, _, text = rest.partition(" ")
    name, text = name.lstrip("-"), text.strip()
    param, own = _changeable(ctx).get(name), method.option(name)
    if param is None and own is None:
        raise UserError(f"{name} cannot be changed in a chat", "/set lists what can")
    options = dict(talk.options)
    if param is not None:
        options[str(param.name)] = _value(param, text, ctx)
    else:
        texts.pop(name.replace("-", "_"), None)
        if text:
            texts[name.replace("-", "_")] = text
        options["method"] = ":".join((method.name, *(f"{key}={value}" for key, value in texts.items())))
    for key in (
        "alpha",
        "temperature",
        "steps",
        "budget",
    ):  # of the method's text: everyday settings of the chat
        chosen, beside = split(options["method"])
        if key in beside:
            options[key] = getattr(chosen.of({key: beside.pop(key)}), key)
            options["method"] = ":".join((chosen.name, *(f"{k}={v}" for k, v in beside.items())))
    talk.set(options)
    for note in typed_stops(options) if name == "stop" else ():
        say(f"note: {note}")
    say(f"{name} {_shown(param, talk.options) if param is not None else _setting(talk.options, own)}")


def _setting(options: dict[str, Any], option: Any) -> str:
    """The value in force of a setting of the method."""
    _, texts = split(options["method"])
    return str(texts.get(option.key, option.default_text))


_COMMANDS = {"/help": _help, "/set": _set, "/regen": _again, "/clear": _forget, "/stats": _stats}


def _changeable(ctx: click.Context) -> dict[str, click.Option]:
    found = {param.name: param for param in ctx.command.params if isinstance(param, click.Option)}
    return {_name(found[name]): found[name] for name in _SETTINGS}


def _name(param: click.Option) -> str:
    return param.opts[-1].lstrip("-")


def _shown(param: click.Option, options: dict[str, Any]) -> str:
    value = options[str(param.name)]
    if value is None:
        return "none" if param.name == "system" else "automatic"
    if isinstance(value, tuple):
        return " · ".join(map(repr, value)) or "none"
    return ("off", "on")[value] if isinstance(value, bool) else str(value)


def _value(param: click.Option, text: str, ctx: click.Context) -> Any:
    """As the command line would read it; no text: the default. Raises click's UsageError."""
    arguments = [f"{param.opts[-1]}={text}"] if text else []
    if param.is_flag and text:
        if text.lower() not in ("on", "off"):
            raise UserError(f"{_name(param)} is on or off, not {text}")
        arguments = [param.opts[-1]] if text.lower() == "on" else []
    return ctx.command.make_context(ctx.info_name, arguments).params[str(param.name)]
