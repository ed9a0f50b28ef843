"""/set and its short forms: which settings are in force, where they come from, and other values for them."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import click
from click.core import ParameterSource

from localpower.api.presets import NO_PRESET, presets
from localpower.api.question import chosen, notes
from localpower.api.request import chosen_seed
from localpower.cli import terminal
from localpower.cli.config import shown
from localpower.cli.refused import REFUSED
from localpower.cli.requests import from_preset, preset_notes, typed_stops
from localpower.cli.talk import Talk
from localpower.errors import UsageProblem, UserError
from localpower.methods import EVERYDAY
from localpower.registry import split

SHORT = ("preset", "method", "alpha", "steps", "budget", "seed", "system")  # commands of their own
_SETTINGS = (
    *("method", "alpha", "steps", "budget", "max_tokens", "temperature", "chains", "pick"),
    *("system", "stops", "template_args", "think", "thinking_budget", "raw"),
    *("no_markdown", "show_thoughts", "log"),
)
_WORDS = 53  # columns before what a setting means
_NARROW = 80  # columns; below, only values are shown
_OF_TEMPLATE = ("system", "template-arg")  # they do nothing without one
_DEFAULT = "default"  # as a value: the setting's own

say = partial(terminal.say, always=True)  # replies to commands
tell = partial(terminal.tell, always=True)


def set_(talk: Talk, ctx: click.Context, rest: str) -> None:
    """Show all settings, show one, or change it."""
    name, _, text = rest.partition(" ")
    name, text = name.lstrip("-").replace("_", "-"), text.strip()
    if not name:
        _show_all(talk, ctx)
        return
    param, own = _changeable(ctx).get(name), split(talk.options["method"])[0].option(name)
    if name in ("seed", "preset"):
        (seed if name == "seed" else preset)(talk, ctx, text)
        return
    if param is None and own is None:
        if f"--{name}" in REFUSED:
            raise UserError(f"{name} is refused: {REFUSED[f'--{name}']}")
        typed = text.partition(" ")[0]
        if name == "parameter" and typed in names(ctx):  # as Ollama has it
            raise UserError("parameter is no setting here", f"/set {text}")
        raise UserError(f"{name} cannot be changed in a chat", "/set lists what can")
    if text:
        _change(talk, ctx, name, param, "" if text.lower() == _DEFAULT else text)
        tell(typed_stops(talk.options) if name == "stop" else ())
        if name in _OF_TEMPLATE:
            told = notes(talk.loaded, talk.chat.options, talk.chat.prompting)
            tell(each for each in told if each.startswith(f"--{name} is not used"))
    _say_lines([_line(talk, ctx, name, param, own)])


def shortcut(name: str) -> Callable[[Talk, click.Context, str], None]:
    """The command that is the setting's name."""

    def run(talk: Talk, ctx: click.Context, rest: str) -> None:
        set_(talk, ctx, f"{name} {rest}")

    return run


def seed(talk: Talk, ctx: click.Context, rest: str) -> None:
    """Show the seed of the next answer, or change it."""
    if rest:
        if not rest.isdecimal():
            raise UsageProblem(f"a seed is a whole number, got {rest!r}")
        talk.chat.seed = chosen_seed(int(rest))
    say(f"seed {talk.chat.seed} (of the next answer)")


def preset(talk: Talk, ctx: click.Context, rest: str) -> None:
    """Show the preset, or put another one's settings into force: whatever was set before, as the latest word.

    What only the one before had set is as the command line, or the configuration, has it.
    """
    if rest:
        name = NO_PRESET if rest.lower() == _DEFAULT else rest
        fresh = ctx.command.make_context(ctx.info_name, ["--preset", name])
        mine = from_preset(fresh)
        options = talk.options | {"preset": fresh.params["preset"]}
        sources = {}
        for key in (mine | talk.from_preset).intersection(_SETTINGS):
            typed = key not in mine and ctx.get_parameter_source(key) == ParameterSource.COMMANDLINE
            sources[key] = ctx if typed else fresh
            options[key] = sources[key].params[key]
        talk.set(options)
        talk.sources |= sources
        talk.changed -= mine | talk.from_preset
        talk.from_preset = mine
        if "seed" in mine:
            talk.chat.seed = chosen_seed(fresh.params["seed"])
        tell(preset_notes(fresh, [talk.chat.options.method]))
    params = _changeable(ctx)
    say(f"preset {talk.options['preset'] or NO_PRESET}; presets: {', '.join(presets())}")
    if not rest:
        for known in presets().values():
            sets = ", ".join(f"{key} {value}" for key, value in known.settings.items())
            say(f"  {known.name}: {known.words or known.source} ({sets or 'no settings'})")
    _say_lines(
        _line(talk, ctx, name, param, None)
        for name, param in params.items()
        if param.name in talk.from_preset
    )


def _show_all(talk: Talk, ctx: click.Context) -> None:
    say(f"{'preset':<15} {talk.options['preset'] or NO_PRESET}")
    lines = [_line(talk, ctx, name, param, None) for name, param in _changeable(ctx).items()]
    own = split(talk.options["method"])[0].options()
    lines += [_line(talk, ctx, option.name, None, option) for option in own]
    _say_lines(lines)


def _say_lines(lines: Iterable[str]) -> None:
    """What settings mean is hung beside their values, where the terminal is wide enough."""
    width = shutil.get_terminal_size().columns
    for line in lines:
        head, words = line[:_WORDS], line[_WORDS:]
        if not sys.stderr.isatty() or width < _NARROW:
            say(line if width >= _NARROW else head.rstrip())
            continue
        for part in click.wrap_text(words, width, head, " " * _WORDS).split("\n"):
            say(part)


def _line(talk: Talk, ctx: click.Context, name: str, param: click.Option | None, own: Any) -> str:
    """Value, where it comes from, what it means."""
    if param is not None:
        value, words = _shown(param, talk), (param.help or "").split("  [")[0]
    else:
        _, texts = split(talk.options["method"])
        value, words = str(texts.get(own.key, own.default_text)), own.help
    return f"{name:<15} {value:<20} {_source(talk, ctx, name, param):<14}  {words}"


def _source(talk: Talk, ctx: click.Context, name: str, param: click.Option | None) -> str:
    key = str(param.name) if param is not None else name.replace("-", "_")
    if key in talk.changed:
        return "set here"
    if key in talk.from_preset:
        return f"preset {talk.options['preset']}"
    if param is None:
        return "method" if key in split(talk.options["method"])[1] else "default"
    given = talk.sources.get(key, ctx).get_parameter_source(key)
    words = {ParameterSource.COMMANDLINE: "command line", ParameterSource.DEFAULT_MAP: "config"}
    return words.get(given, "default") if given else "default"


def _change(talk: Talk, ctx: click.Context, name: str, param: click.Option | None, text: str) -> None:
    """Another value; no text: the default. Raises UserError; then nothing has changed."""
    options, key = dict(talk.options), name.replace("-", "_")
    method, texts = split(options["method"])
    if param is not None:
        key = str(param.name)
        options[key] = _value(param, text, ctx, talk.options["preset"])
    else:
        texts.pop(key, None)
        if text:
            texts[key] = text
        options["method"] = _written(method.name, texts)
    chosen, beside = split(options["method"])
    for everyday in (*EVERYDAY, "budget"):  # of the method's text: settings of the chat
        if everyday in beside:
            options[everyday] = getattr(chosen.of({everyday: beside.pop(everyday)}), everyday)
            options["method"] = _written(chosen.name, beside)
            talk.changed.add(everyday)
    talk.set(options)
    (talk.changed.add if text else talk.changed.discard)(key)


def _written(name: str, texts: dict[str, Any]) -> str:
    return ":".join((name, *(f"{key}={value}" for key, value in texts.items())))


def _changeable(ctx: click.Context) -> dict[str, click.Option]:
    found = {param.name: param for param in ctx.command.params if isinstance(param, click.Option)}
    return {_name(found[name]): found[name] for name in _SETTINGS}


def names(ctx: click.Context) -> list[str]:
    """Of all settings that every method has."""
    return ["preset", *_changeable(ctx), "seed"]


def _name(param: click.Option) -> str:
    return param.opts[0 if param.secondary_opts else -1].lstrip("-")


def _shown(param: click.Option, talk: Talk) -> str:
    """Of what nobody has set, also what it comes to with this model."""
    value = talk.options[str(param.name)]
    if value is None:
        if param.name == "system":
            return "none"
        found = chosen(talk.loaded, talk.chat.options, talk.chat.prompting).get(str(param.name))
        return "automatic" if found is None else f"automatic: {found:.3g}"
    return "none" if value == () else shown(value)


def _value(param: click.Option, text: str, ctx: click.Context, preset: str | None) -> Any:
    """As the command line would read it; no text: the preset's or the default. Raises click's UsageError."""
    arguments = ["--preset", preset or NO_PRESET, *([f"{param.opts[-1]}={text}"] if text else [])]
    if param.is_flag and text:
        if text.lower() not in ("on", "off"):
            raise UserError(f"{_name(param)} is on or off, not {text}")
        return text.lower() == "on"
    return ctx.command.make_context(ctx.info_name, arguments).params[str(param.name)]
