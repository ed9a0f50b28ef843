"""From the options of a command to the plain values that the library takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from typing import Any

import click
from click.core import ParameterSource

from localpower import jsonl
from localpower.api.opening import opened
from localpower.api.question import check, notes
from localpower.api.request import PromptOptions, SamplingOptions
from localpower.cli.options import IDLE, PRESET
from localpower.cli.terminal import waiting
from localpower.errors import UsageProblem
from localpower.loaded import Loaded
from localpower.loading import Request
from localpower.methods import EVERYDAY, Method
from localpower.registry import parse, split
from localpower.runs.interrupt import Interrupts
from localpower.tools.use import ToolUse

_BESIDE = (*EVERYDAY, "budget")  # options that are settings of the method


def sampling(options: dict[str, Any]) -> SamplingOptions:
    """How to sample. Raises UsageProblem for what can never be right, before a model loads."""
    method = parse(options["method"], **{name: options[name] for name in _BESIDE})
    if method.name == "base" and options["temperature"] not in (None, 1.0):
        raise UsageProblem("--method base samples at temperature 1", "use --method low-temp")
    found = SamplingOptions(method, options["max_tokens"], options["chains"], options["pick"])
    check(found)
    return found


def prompting(options: dict[str, Any]) -> PromptOptions:
    """How a text becomes a prompt; `tool_use` of the options: what the model may call. Raises UsageProblem."""
    arguments = template_arguments(options["template_args"])
    return PromptOptions(
        options["system"],
        options["raw"],
        options["stops"],
        arguments,
        options.get("think"),
        options.get("thinking_budget"),
        options.get("tool_use"),
    )


_OF_TOOLS = (
    "tool_format",
    "fresh_environment",
    "run_code",
    "max_turns",
    "observation_tokens",
    "environment_seed",
)


def tool_use(options: dict[str, Any], stop: Callable[[], bool] = lambda: False) -> ToolUse | None:
    """What the model may call; None: nothing. stop: asked while a tool runs. Raises UserError."""
    from localpower.tools.names import open_tools

    names = options["tools"]
    if not names:
        source = click.get_current_context().get_parameter_source
        idle = [name for name in _OF_TOOLS if source(name) is ParameterSource.COMMANDLINE]
        if idle:
            raise UsageProblem(f"--{idle[0].replace('_', '-')} means nothing without --tools")
        return None
    return ToolUse(
        open_tools(names, run_code=options["run_code"], stop=stop),
        ", ".join(names),
        options["tool_format"],
        options["max_turns"],
        options["observation_tokens"],
        options["environment_seed"],
        options["fresh_environment"],
    )


def typed_stops(options: dict[str, Any]) -> list[str]:
    """Notes on stops, and on an answer's prefix, that a shell has left as they were typed."""
    prefix = options.get("answer_prefix") or ""
    texts = [("--stop", "ends at", stop) for stop in options["stops"]] + [("--answer-prefix", "has", prefix)]
    return [
        f"{name} {text} {does} a backslash and a letter, not a line break or a tab: $'{text}' is how to write those"
        for name, does, text in texts
        if re.search(r"\\[nrt]", text)
    ]


def open_model(options: dict[str, Any], interrupts: Interrupts, *, fresh: bool = False) -> Loaded:
    """The model that the options name; fresh: checked anew. Raises ModelError, or Interrupted by Ctrl-C."""
    return opened(request(options, fresh=fresh), interrupts, waiting)


def request(options: dict[str, Any], *, fresh: bool = False) -> Request:
    """What is asked of the engine."""
    kv = options["kv"]
    return Request(
        model=options["model"],
        threads=options["threads"],
        ctx=options["n_ctx"],
        gpu_layers=options["gpu_layers"],
        fast=options["fast"],
        fresh=fresh,
        kv=None if kv is None else int(kv),
    )


def given(ctx: click.Context) -> set[str]:
    """Names of the options that were not left at their default."""
    return {name for name in ctx.params if ctx.get_parameter_source(name) == ParameterSource.COMMANDLINE}


def from_preset(ctx: click.Context) -> frozenset[str]:
    """Names of the parameters that have their value from --preset."""
    named: frozenset[str] = ctx.meta.get(PRESET, frozenset())
    return frozenset(each for each in named if ctx.get_parameter_source(each) == ParameterSource.DEFAULT_MAP)


def preset_notes(ctx: click.Context, methods: Iterable[type[Method] | Method]) -> list[str]:
    """Notes on settings of a preset that do nothing."""
    name, used = ctx.params.get("preset"), set().union(*(method.uses() for method in methods))
    idle = sorted((set(EVERYDAY) - used).intersection(from_preset(ctx)))
    found = [f"--preset {name}: {key} means nothing to this method" for key in idle]
    return found + [
        f"--preset {name}: {key} means nothing to {ctx.info_name}" for key in ctx.meta.get(IDLE, ())
    ]


def first_notes(
    ctx: click.Context, loaded: Loaded, how: SamplingOptions, wording: PromptOptions
) -> list[str]:
    """What is to be said of the options of `run` or `chat` once the model is there."""
    options = ctx.params
    idle = [*preset_notes(ctx, [how.method]), *_unused(options["method"], given(ctx))]
    return [*notes(loaded, how, wording), *typed_stops(options), *idle]


def _unused(text: str, given: Collection[str]) -> list[str]:
    """Notes on options that do nothing beside a method as it is written."""
    method, texts = split(text)
    both = [key for key in sorted(given) if key in texts and key in _BESIDE]
    found = [f"--{key} is not used: the method has {key}={texts[key]}" for key in both]
    idle = used_by_none([method], given)
    return found + [f"{name} means nothing to --method {method.name}" for name in idle]


def used_by_none(methods: Iterable[type[Method] | Method], given: Collection[str]) -> list[str]:
    """Everyday options that were given and that none of these methods has."""
    used = set().union(*(method.uses() for method in methods))
    return [f"--{name}" for name in sorted((set(EVERYDAY) - used).intersection(given))]


def template_arguments(pairs: tuple[str, ...]) -> dict[str, Any]:
    """NAME=VALUE pairs; a value that is JSON (false, 3, "x") is read as such, else it is text."""
    arguments: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise UsageProblem(f"--template-arg takes NAME=VALUE, got {pair!r}")
        try:
            arguments[name] = jsonl.loads(value)
        except (ValueError, RecursionError):
            arguments[name] = value
    return arguments
