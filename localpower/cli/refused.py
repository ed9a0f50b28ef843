"""Options that other programs have, or that have moved: hidden, and each says why it is refused or what replaces it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

_TARGET = "it would change the target: power sampling needs the model's whole distribution"
REFUSED = {
    "--top-k": _TARGET,
    "--top-p": _TARGET,
    "--min-p": _TARGET,
    "--repeat-penalty": _TARGET,
    "--presence-penalty": _TARGET,
    "--frequency-penalty": _TARGET,
}
MOVED = {  # into the settings of methods: the methods that have it, and what it is called there
    "--block": (("power", "lookahead"), "block"),
    "--cuts": (("power",), "cuts"),
    "--rho": (("power",), "restart-weight"),
    "--prefetch": (("power",), "prefetch"),
    "--drafts": (("power",), "drafts"),
    "--particles": (("smc",), "particles"),
    "--ramp": (("smc",), "ramp"),
    "--ess": (("smc",), "ess"),
    "-n": (("best-of-n",), "n"),
    "--candidates": (("lookahead",), "candidates"),
    "--rollouts": (("lookahead",), "rollouts"),
}
_VALUE = "VALUE"


def _moved(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value is None:
        return
    name = param.opts[0]
    if (name, value) == ("-n", "gl"):
        raise click.UsageError("No such option: -ngl: did you mean --gpu-layers?")
    methods, setting = MOVED[name]
    if name == "-n":
        raise click.UsageError(
            f"the length of an answer is --max-tokens; answers to choose from are --method best-of-n:n={value}"
        )
    others = (
        f" ({', '.join(methods[1:])} {'has' if len(methods) == 2 else 'have'} it too)" if methods[1:] else ""
    )
    raise click.UsageError(
        f"{name} has moved into the method: use --method {methods[0]}:{setting}={value}{others}"
    )


def _metropolised(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value:
        raise click.UsageError(
            "--metropolised has moved into the method: use --method power:metropolised=yes"
        )


def _gone(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value is not None:
        raise click.UsageError(f"{param.opts[0]} is gone: docs/samplers.md shows what was better")


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
    hidden: dict[str, Any] = {"hidden": True, "expose_value": False}
    for name in MOVED:
        own: dict[str, Any] = {"is_flag": False, "flag_value": _VALUE, "callback": _moved, **hidden}
        command = click.option(name, f"moved_{name.strip('-')}", **own)(command)
    for name in ("--staged", "--tries", "--rungs"):
        command = click.option(name, f"gone_{name.strip('-')}", callback=_gone, **hidden)(command)
    return click.option(
        "--metropolised", "moved_metropolised", is_flag=True, callback=_metropolised, **hidden
    )(command)
