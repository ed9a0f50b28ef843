"""Options shared by commands, and what makes options: a flag, a path, several as one decorator."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from localpower.cli import completion
from localpower.cli.values import BudgetText, Finite, Layers
from localpower.readers import MOST_ALPHA, MOST_RUNS, MOST_THREADS
from localpower.registry import names

PRESET, IDLE = "localpower.preset", "localpower.idle"  # of a context: what a preset set; keys it could not
_PASSWORD = "LOCALPOWER_GPQA_PASSWORD"
Option = Callable[[Callable[..., Any]], Callable[..., Any]]


def together(*options: Option) -> Option:
    """Several options as one decorator, in the order in which they are read."""

    def added(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return added


def flag(*names: str, help: str) -> Option:
    """An option without a value."""
    return click.option(*names, is_flag=True, help=help)


def path_option(*names: str, help: str, metavar: str = "FILE", **more: Any) -> Option:
    """An option whose value is a path."""
    return click.option(*names, type=click.Path(path_type=Path), metavar=metavar, help=help, **more)


def seed_option(name: str = "--seed", default: int | None = None, *, help: str) -> Option:
    """Where chance comes from."""
    return click.option(name, type=click.IntRange(min=0, max=2**64 - 1), default=default, help=help)


WHOLE = click.IntRange(min=1)
DIRS = click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR...")


def _engine_options(model: str) -> Option:
    """model: the parameter of -m; models: there may be several."""
    return together(
        click.option(
            "-m",
            "--model",
            model,
            multiple=model == "models",
            shell_complete=completion.models,
            help="A GGUF file, or a name that `localpower models list` shows, such as smollm2 or toy.  "
            "[default: LOCALPOWER_MODEL, else smollm2]",
        ),
        click.option(
            "--threads",
            type=click.IntRange(1, MOST_THREADS),
            help="Number of threads.  [default: the cores that are free, followed while the run goes on]",
        ),
        click.option(
            "--ctx",
            "n_ctx",
            type=WHOLE,
            help="Most tokens that prompt and answer may have together.  [default: the model's]",
        ),
        click.option(
            "--gpu-layers",
            type=Layers(),
            metavar="N|auto",
            help="Number of layers on the GPU; auto: all of them where llama.cpp was built for one.  [default: 0]",
        ),
        click.option(
            "--kv",
            type=click.Choice(("16", "8")),
            metavar="16|8",
            help="Bits of a number of keys and values.  8 take about half of the memory of 16, and give each log p "
            "other bits.  [default: as the check of the engine chooses]",
        ),
        flag("--fast", help="The engine uses llama.cpp's own numerics instead of the exact mode."),
    )


engine_options = _engine_options("model")
engines_options = _engine_options("models")


def _heed_preset(ctx: click.Context, param: click.Parameter, name: str | None) -> str | None:
    """Before every other option is read."""
    from localpower.api.presets import NO_PRESET
    from localpower.cli.config import preset_defaults

    if name in (None, NO_PRESET) or ctx.resilient_parsing:
        return None
    found, idle = preset_defaults(ctx.command, str(name))
    ctx.default_map = {**(ctx.default_map or {}), **found}
    ctx.meta[PRESET] = frozenset(found)
    ctx.meta[IDLE] = idle
    return name


preset_option = click.option(
    "--preset",
    is_eager=True,
    callback=_heed_preset,
    metavar="NAME",
    shell_complete=completion.presets,
    help="Settings under a name: quick, careful, or one of your own (`localpower methods` lists them). Options "
    "that are given go before it.",
)


def methods_option(metavar: str, help: str) -> Option:
    """Several methods."""
    return click.option(
        "--method",
        "methods",
        multiple=True,
        default=("base,low-temp,power",),
        metavar=metavar,
        shell_complete=completion.methods,
        help=help,
    )


def pick_option(*choices: str, help: str) -> Option:
    """Which of several answers counts."""
    return click.option("--pick", type=click.Choice(choices), default="random", help=help)


def target_options(max_tokens: int | None = 256, *, timed: bool = True) -> Option:
    """The law, its horizon, and what a run may cost.

    max_tokens: its default; None: the task's own. timed: a budget may be in seconds.
    """
    return together(
        click.option(
            "--alpha",
            type=Finite(1.0, MOST_ALPHA),
            help="The power, at least 1.  [default: what `models list` says of the model; of others 2.5 with a chat "
            "template, 4 without]",
        ),
        click.option(
            "--temperature",
            type=Finite(0.0),
            help="The temperature of the proposal, and of low-temp.  [default: 1/alpha]",
        ),
        click.option(
            "--max-tokens",
            type=WHOLE,
            default=max_tokens,
            help="Most tokens of an answer (the horizon T)."
            + ("" if max_tokens else "  [default: the task's own]"),
        ),
        click.option(
            "--budget",
            type=BudgetText(),
            metavar="30s|5000t|4x" if timed else "5000t|4x",
            help=f"Most that a run may take: {'seconds, ' if timed else ''}tokens drawn, or times the tokens "
            "of a plain answer.  [default: no limit]",
        ),
        click.option(
            "--steps",
            type=click.IntRange(min=0),
            help="Number of steps of a chain at each horizon.  [default: 5, or as many as --budget has room for]",
        ),
    )


chance_option = seed_option(help="The seed of all chance.  [default: drawn and printed]")

sampling_options = together(
    preset_option,
    click.option(
        "--method",
        default="power",
        metavar="NAME[:SETTING=VALUE...]",
        shell_complete=completion.methods,
        help=f"The method of sampling: {', '.join(names())}. `localpower methods` explains them and their settings.",
    ),
    target_options(),
    click.option(
        "--chains",
        type=click.IntRange(1, MOST_RUNS),
        default=1,
        help="Number of independent chains in one batch.",
    ),
    pick_option(
        *("random", "logp", "all"),
        help="Which answer of several chains is printed: one at random, the likeliest, or all of them.",
    ),
    chance_option,
)

wording_options = together(  # how a text becomes a prompt, what ends its answer, and how long a model may think
    click.option("--system", help="The system message."),
    flag("--raw", help="The text is sent as it is, without the chat template."),
    click.option(
        "--template-arg",
        "template_args",
        multiple=True,
        metavar="NAME=VALUE",
        help="A variable for the chat template, such as enable_thinking=false.",
    ),
    click.option(
        "--stop",
        "stops",
        multiple=True,
        help="A text that ends the answer; a line break is $'\\n' in most shells. The option may be repeated.",
    ),
    click.option(
        "--think/--no-think",
        default=None,
        help="Thoughts are switched on or off, where the chat template can.  [default: as the template likes]",
    ),
    click.option(
        "--thinking-budget",
        type=click.IntRange(min=0),
        metavar="N",
        help="Most tokens of a thought; then some words that are given lead the model to its answer.  "
        "[default: no limit]",
    ),
)

prompt_options = together(
    wording_options,
    path_option(
        "--prompt-cache",
        help="The evaluated prompt is kept in FILE, and a run begins from what FILE has of it.",
    ),
)

thoughts_option = flag(
    "--show-thoughts",
    help="A terminal is shown the thoughts of the model whole.  [default: their last lines while they are drawn]",
)

log_option = click.option(
    "--log/--no-log",
    default=True,
    show_default=False,
    help="Answers are kept on this machine, for `localpower log`, or not.  [default: they are]",
)

quiet_option = flag(  # heeded by terminal.py alone
    "--quiet", help="No notes, no live view and no summary are printed: only the answer, and what went wrong."
)

program_options = together(  # whether programs that a model wrote are run, with what, and for how long
    flag(
        "--run-code",
        help="The programs in the answers are run after all answers are made, as isolated as this machine can.",
    ),
    click.option(
        "--allow-import",
        "packages",
        metavar="PACKAGE",
        multiple=True,
        help="A package that they may import besides Python's own, as numpy. The option may be repeated.",
    ),
    click.option(
        "--seconds", type=Finite(0.1, 600), default=10.0, help="Time limit for each program, in seconds."
    ),
)

password_option = click.option(
    "--gpqa-password", metavar="TEXT", help=f"The password of GPQA's archive.  [default: {_PASSWORD}]"
)


def password_of(given: str | None) -> Callable[[], str]:
    """The password as it was given, or as the environment has it; else somebody is asked once it is needed."""
    known = given or os.environ.get(_PASSWORD)

    def ask() -> str:
        return str(click.prompt("GPQA password", hide_input=True, err=True)) if sys.stdin.isatty() else ""

    return ask if known is None else lambda: known
