"""Options that other programs have, or that have moved: hidden, and each says why it is refused or what replaces it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from localpower.cli.options import Option, together

REFUSED = dict.fromkeys(
    ("--top-k", "--top-p", "--min-p", "--repeat-penalty", "--presence-penalty", "--frequency-penalty"),
    "it would change the target: power sampling needs the model's whole distribution",
)
_MOVED = {  # into the settings of methods
    "--cuts": "power:cuts={}",
    "--rho": "power:restart-weight={}",
    "--prefetch": "power:prefetch={}",
    "--drafts": "power:drafts={}",
    "--metropolised": "power:metropolised=yes",
    "--particles": "smc:particles={}",
    "--ramp": "smc:ramp={}",
    "--ess": "smc:ess={}",
    "--candidates": "lookahead:candidates={}",
    "--rollouts": "lookahead:rollouts={}",
    "--block": "power:block={} (lookahead has it too)",
}
_BARE: dict[str, Any] = {"is_flag": False, "flag_value": "VALUE"}  # it may stand without a value


def _hidden(name: str, said: Callable[[str], str], **more: Any) -> Option:
    """said: what a user is told, by the value."""

    def refuse(ctx: click.Context, param: click.Parameter, value: Any) -> None:
        if value is not None:
            raise click.UsageError(said(value))

    own = f"no_{name.strip('-').replace('-', '_')}"
    return click.option(name, own, hidden=True, expose_value=False, callback=refuse, **more)


def renamed(old: str, new: str) -> Option:
    """An option that says what it is called now."""
    return _hidden(old, lambda _: f"{old} is called {new} now")


def _refused(name: str, why: str) -> Option:
    return _hidden(name, lambda _: f"{name} is refused: {why}")


def _moved(name: str, into: str) -> Option:
    said = f"{name} has moved into the method: use --method {into}"
    return _hidden(name, said.format, **_BARE)


def _gone(name: str) -> Option:
    return _hidden(name, lambda _: f"{name} is gone: docs/samplers.md shows what was better", **_BARE)


def _length(value: str) -> str:
    """-n of llama.cpp, and what a parser makes of its -ngl."""
    if value == "gl":
        return "No such option: -ngl: did you mean --gpu-layers?"
    return f"the length of an answer is --max-tokens; answers to choose from are --method best-of-n:n={value}"


refused_options = together(
    *(_refused(name, why) for name, why in REFUSED.items()),
    *(_moved(name, into) for name, into in _MOVED.items()),
    *map(_gone, ("--staged", "--tries", "--rungs")),
    _hidden("-n", _length, **_BARE),
)
