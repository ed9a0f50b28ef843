"""Options shared by commands, and the ones refused by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from localpower.cli import completion
from localpower.cli.values import BudgetText, Finite, Layers
from localpower.readers import MOST_ALPHA, MOST_RUNS, MOST_THREADS
from localpower.registry import names

PRESET, IDLE = (
    "localpower.preset",
    "localpower.idle",
)  # of a context: parameters that a preset set; keys it could not


def engine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """-m, --threads, --ctx, --gpu-layers, --fast, --debug."""
    return _engine_options(command, several=False)


def engines_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same, with several models as `models`."""
    return _engine_options(command, several=True)


def _engine_options(command: Callable[..., Any], *, several: bool) -> Callable[..., Any]:
    whole = click.IntRange(min=1)
    for option in (
        click.option("--debug", is_flag=True, help="A problem is shown with its traceback."),
        click.option(
            "--fast", is_flag=True, help="The engine uses llama.cpp's own numerics instead of the exact mode."
        ),
        click.option(
            "--gpu-layers",
            type=Layers(),
            metavar="N|auto",
            help="Number of layers on the GPU; auto: all of them where llama.cpp was built for one.  [default: 0]",
        ),
        click.option(
            "--ctx",
            "n_ctx",
            type=whole,
            help="Most tokens that prompt and answer may have together.  [default: the model's]",
        ),
        click.option(
            "--threads",
            type=click.IntRange(1, MOST_THREADS),
            help="Number of threads.  [default: the cores that are free, followed while the run goes on]",
        ),
        click.option(
            "-m",
            "--model",
            "models" if several else "model",
            multiple=several,
            shell_complete=completion.models,
            help="A GGUF file, or a name that `localpower models list` shows, such as smollm2 or toy.  "
            "[default: LOCALPOWER_MODEL, else smollm2]",
        ),
    ):
        command = option(command)
    return command


def sampling_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What is drawn, and how a run goes about it."""
    options = (
        *_run_options(),
        steps_option(),
        *target_options(),
        _method_option(),
        preset_option(),
    )
    for option in options:
        command = option(command)
    return command


def preset_option() -> Callable[..., Any]:
    """Settings under a name: heeded before every other option is read."""

    def heed(ctx: click.Context, param: click.Parameter, name: str | None) -> str | None:
        from localpower.api.presets import NO_PRESET
        from localpower.cli.config import preset_defaults

        if name in (None, NO_PRESET) or ctx.resilient_parsing:
            return None
        found, idle = preset_defaults(ctx.command, str(name))
        ctx.default_map = {**(ctx.default_map or {}), **found}
        ctx.meta[PRESET] = frozenset(found)
        ctx.meta[IDLE] = idle
        return name

    return click.option(
        "--preset",
        is_eager=True,
        callback=heed,
        metavar="NAME",
        shell_complete=completion.presets,
        help="Settings under a name: quick, careful, or one of your own (`localpower methods` lists them). Options "
        "that are given go before it.",
    )


def _method_option() -> Callable[..., Any]:
    """What draws."""
    return click.option(
        "--method",
        default="power",
        show_default=True,
        metavar="NAME[:SETTING=VALUE...]",
        shell_complete=completion.methods,
        help=f"The method of sampling: {', '.join(names())}. `localpower methods` explains them and their settings.",
    )


def target_options(max_tokens: int | None = 256, *, timed: bool = True) -> tuple[Callable[..., Any], ...]:
    """The law and its horizon; max_tokens: its default, None: the task's own. timed: a budget may be in seconds."""
    whole = click.IntRange(min=1)
    return (
        click.option(
            "--budget",
            type=BudgetText(),
            metavar="30s|5000t|4x" if timed else "5000t|4x",
            help=f"Most that a run may take: {'seconds, ' if timed else ''}tokens drawn, or times the tokens "
            "of a plain answer.  [default: no limit]",
        ),
        click.option(
            "--max-tokens",
            type=whole,
            default=max_tokens,
            show_default=max_tokens is not None,
            help="Most tokens of an answer (the horizon T)."
            + ("" if max_tokens else "  [default: the task's own]"),
        ),
        click.option(
            "--temperature",
            type=Finite(0.0),
            help="The temperature of the proposal, and of low-temp.  [default: 1/alpha]",
        ),
        click.option(
            "--alpha",
            type=Finite(1.0, MOST_ALPHA),
            help="The power, at least 1.  [default: what `models list` says of the model; of others 2.5 with a chat "
            "template, 4 without]",
        ),
    )


def steps_option() -> Callable[..., Any]:
    """How long chains are."""
    return click.option(
        "--steps",
        type=click.IntRange(min=0),
        help="Number of steps of a chain at each horizon.  [default: 5, or as many as --budget has room for]",
    )


def _run_options() -> tuple[Callable[..., Any], ...]:
    """How many chains, and from which seed."""
    return (
        seed_option(),
        click.option(
            "--pick",
            type=click.Choice(("random", "logp", "all")),
            default="random",
            show_default=True,
            help="Which answer of several chains is printed: one at random, the likeliest, or all of them.",
        ),
        click.option(
            "--chains",
            type=click.IntRange(1, MOST_RUNS),
            default=1,
            show_default=True,
            help="Number of independent chains in one batch.",
        ),
    )


def prompt_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What shapes the prompt and ends the answer."""
    cache = click.option(
        "--prompt-cache",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The evaluated prompt is kept in FILE, and a run begins from what FILE has of it.",
    )
    for option in (cache, *thinking_options(), *wording_options()):
        command = option(command)
    return command


def thinking_options() -> tuple[Callable[..., Any], ...]:
    """Whether a model thinks before it answers, and how long."""
    return (
        click.option(
            "--thinking-budget",
            type=click.IntRange(min=0),
            metavar="N",
            help="Most tokens of a thought; then some words that are given lead the model to its answer.  "
            "[default: no limit]",
        ),
        click.option(
            "--think/--no-think",
            default=None,
            help="Thoughts are switched on or off, where the chat template can.  [default: as the template likes]",
        ),
    )


def wording_options() -> tuple[Callable[..., Any], ...]:
    """How a text becomes a prompt, and what ends its answer."""
    return (
        click.option(
            "--stop",
            "stops",
            multiple=True,
            help="A text that ends the answer; a line break is $'\\n' in most shells. The option may be repeated.",
        ),
        click.option(
            "--template-arg",
            "template_args",
            multiple=True,
            metavar="NAME=VALUE",
            help="A variable for the chat template, such as enable_thinking=false.",
        ),
        click.option("--raw", is_flag=True, help="The text is sent as it is, without the chat template."),
        click.option("--system", help="The system message."),
    )


def thoughts_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """What a terminal is shown of thoughts."""
    return click.option(
        "--show-thoughts",
        is_flag=True,
        help="A terminal is shown the thoughts of the model whole.  [default: their last lines while they are drawn]",
    )(command)


def log_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Whether answers are kept for `localpower log`."""
    return click.option(
        "--log/--no-log",
        default=True,
        help="Answers are kept on this machine, for `localpower log`, or not.  [default: they are]",
    )(command)


def quiet_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Heeded by terminal.py alone."""
    words = "No notes, no live view and no summary are printed: only the answer, and what went wrong."
    return click.option("--quiet", is_flag=True, help=words)(command)


def seed_option() -> Callable[..., Any]:
    """Where all chance comes from."""
    return click.option(
        "--seed",
        type=click.IntRange(min=0, max=2**64 - 1),
        help="The seed of all chance.  [default: drawn and printed]",
    )


def program_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Whether programs that a model wrote are run, with what, and for how long."""
    for option in (
        click.option(
            "--seconds",
            type=Finite(0.1, 600),
            default=10.0,
            show_default=True,
            help="Time limit for each program, in seconds.",
        ),
        click.option(
            "--allow-import",
            "packages",
            metavar="PACKAGE",
            multiple=True,
            help="A package that they may import besides Python's own, as numpy. The option may be repeated.",
        ),
        click.option(
            "--run-code",
            is_flag=True,
            help="The programs in the answers are run after all answers are made, as isolated as this machine can.",
        ),
    ):
        command = option(command)
    return command
