"""Options shared by commands, and the ones refused by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from localpower.cli.values import (
    MOST_ALPHA,
    MOST_RUNS,
    MOST_THREADS,
    BudgetText,
    Finite,
    Rungs,
    Share,
    StartText,
    Width,
)
from localpower.names import CUTS, METHODS

_TARGET = "it would change the target: power sampling needs the model's whole distribution"
REFUSED = {
    "--top-k": _TARGET,
    "--top-p": _TARGET,
    "--min-p": _TARGET,
    "--repeat-penalty": _TARGET,
    "--presence-penalty": _TARGET,
    "--frequency-penalty": _TARGET,
}


def _refuse(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value:
        name = param.opts[0]
        raise click.UsageError(f"{name} is refused: {REFUSED[name]}")


def refused_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Hidden options that explain themselves when used."""
    for name in REFUSED:
        command = click.option(
            name,
            f"refused_{name.strip('-').replace('-', '_')}",
            hidden=True,
            expose_value=False,
            callback=_refuse,
        )(command)
    return command


def engine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """-m, --threads, --ctx, --gpu-layers, --fast, --debug."""
    return _engine_options(command, several=False)


def engines_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same, with several models as `models`."""
    return _engine_options(command, several=True)


def _engine_options(command: Callable[..., Any], *, several: bool) -> Callable[..., Any]:
    whole = click.IntRange(min=1)
    for option in (
        click.option("--debug", is_flag=True, help="Show tracebacks."),
        click.option("--fast", is_flag=True, help="llama.cpp's own numerics instead of the exact mode."),
        click.option("--gpu-layers", type=click.IntRange(min=0), help="Layers on the GPU."),
        click.option("--ctx", "n_ctx", type=whole, help="Most tokens of prompt and answer together."),
        click.option(
            "--threads",
            type=click.IntRange(1, MOST_THREADS),
            help="Else all cores of this process.",
        ),
        click.option(
            "-m",
            "--model",
            "models" if several else "model",
            multiple=several,
            help="A GGUF file, a catalogue name, or toy. Else LOCALPOWER_MODEL, else smollm2.",
        ),
    ):
        command = option(command)
    return command


def sampling_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What is drawn, and how a run goes about it."""
    options = (
        *width_options(),
        *_run_options(),
        *other_options(),
        *chain_options(),
        *target_options(),
        _method_option(),
    )
    for option in options:
        command = option(command)
    return command


def _method_option() -> Callable[..., Any]:
    """What draws."""
    return click.option(
        "--method",
        type=click.Choice(METHODS),
        default="power",
        show_default=True,
        help="power, tempering: chains towards p^alpha; smc, best-of-n: answers weighted towards it; lookahead: an "
        "approximation; base: p itself; low-temp: each token sharpened by itself.",
    )


def target_options(max_tokens: int | None = 256, *, timed: bool = True) -> tuple[Callable[..., Any], ...]:
    """The law and its horizon; max_tokens: its default, None: the task's own. timed: a budget may be in seconds."""
    whole = click.IntRange(min=1)
    return (
        click.option(
            "--budget",
            type=BudgetText(),
            metavar="30s|5000t|4x" if timed else "5000t|4x",
            help=f"Most that a run may take: {'seconds, ' if timed else ''}tokens drawn, or times a plain answer.",
        ),
        click.option(
            "--max-tokens",
            type=whole,
            default=max_tokens,
            show_default=max_tokens is not None,
            help="Longest answer (horizon T)." + ("" if max_tokens else " Else the task's own."),
        ),
        click.option("--temperature", type=Finite(0.0), help="Of the proposal, and of low-temp; 1/alpha."),
        click.option("--alpha", type=Finite(1.0, MOST_ALPHA), help="The power; 2.5 with a template, else 4."),
    )


def chain_options() -> tuple[Callable[..., Any], ...]:
    """How the chains of power and tempering walk."""
    whole = click.IntRange(min=1)
    return (
        click.option(
            "--start",
            type=StartText(),
            default="draw",
            show_default=True,
            metavar="draw|smc:N|best-of-n:N",
            help="What a chain begins with: one draw, or a choice among N answers.",
        ),
        click.option(
            "--hot-cut/--no-hot-cut",
            default=True,
            show_default=True,
            help="Draw the token at the cut from p itself.",
        ),
        click.option(
            "--metropolised",
            is_flag=True,
            help="Every proposal differs from the answer so far, and pays for it in the ratio.",
        ),
        click.option(
            "--rho",
            type=Share(),
            default=0.5,
            show_default=True,
            help="Weight of a whole new answer in --cuts restart.",
        ),
        click.option(
            "--cuts",
            type=click.Choice(CUTS),
            default="restart",
            show_default=True,
            help="Where a step cuts: anywhere, at times at the very start, or where entropy rises.",
        ),
        click.option(
            "--steps",
            type=click.IntRange(min=0),
            help="Metropolis-Hastings steps a stage: 5, or as many as --budget has room for.",
        ),
        click.option(
            "--block",
            type=whole,
            help="Tokens by which the horizon grows: all of --max-tokens; of lookahead a sixteenth.",
        ),
    )


def other_options() -> tuple[Callable[..., Any], ...]:
    """What belongs to one method alone. Its own default where none is given."""
    whole = click.IntRange(1, MOST_RUNS)
    return (
        click.option(
            "--rollouts", type=click.IntRange(0, MOST_RUNS), help="lookahead: looks ahead of each; 2."
        ),
        click.option("--candidates", type=whole, help="lookahead: blocks to choose from; 4."),
        click.option("--rungs", type=Rungs(), help="tempering: how many exponents up to alpha, or which; 4."),
        click.option(
            "--ess", type=Finite(0.0, 1.0), help="smc: share of particles below which they are resampled; .5."
        ),
        click.option(
            "--ramp", type=click.IntRange(min=0), help="smc: tokens over which alpha rises from 1; 32."
        ),
        click.option("--particles", type=whole, help="smc: answers that grow together; 8."),
        click.option("-n", "n", type=whole, help="best-of-n: answers to choose from; 8."),
    )


def width_options() -> tuple[Callable[..., Any], ...]:
    """What shares a batch; changes no result."""
    return (
        click.option(
            "--drafts",
            type=click.Choice(("auto", "on", "off")),
            default="auto",
            show_default=True,
            help="Evaluate tokens that text written before suggests, in the same batch. Never changes a result.",
        ),
        click.option(
            "--prefetch",
            type=Width(),
            default="auto",
            show_default=True,
            help="Proposals in one batch: auto, or 1 to 61. Never changes a result.",
        ),
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
            help="Which answers: one drawn (chains alike, best-of-n and smc by weight), the likeliest, or all.",
        ),
        click.option(
            "--chains",
            type=click.IntRange(1, MOST_RUNS),
            default=1,
            show_default=True,
            help="Independent chains in one batch.",
        ),
    )


def prompt_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What shapes the prompt and ends the answer."""
    cache = click.option(
        "--prompt-cache",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Keep the evaluated prompt in FILE, and begin from what FILE has of it.",
    )
    for option in (cache, *wording_options()):
        command = option(command)
    return command


def wording_options() -> tuple[Callable[..., Any], ...]:
    """How a text becomes a prompt, and what ends its answer."""
    return (
        click.option("--stop", "stops", multiple=True, help="A text that ends the answer; may be repeated."),
        click.option(
            "--template-arg",
            "template_args",
            multiple=True,
            metavar="NAME=VALUE",
            help="A variable for the chat template, such as enable_thinking=false.",
        ),
        click.option("--raw", is_flag=True, help="Send the text as it is, without the chat template."),
        click.option("--system", help="The system message."),
    )


def seed_option() -> Callable[..., Any]:
    """Where all chance comes from."""
    return click.option(
        "--seed", type=click.IntRange(min=0, max=2**64 - 1), help="Drawn and printed if not given."
    )


def program_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Whether programs that a model wrote are run, and for how long."""
    for option in (
        click.option(
            "--seconds", type=Finite(0.1, 600), default=10.0, show_default=True, help="Of each program."
        ),
        click.option(
            "--run-code",
            is_flag=True,
            help="Run the programs in answers, in a fence and not a prison; not while answers are made.",
        ),
    ):
        command = option(command)
    return command
