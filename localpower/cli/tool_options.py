"""Options on tools: what a model may call, and how far a trace goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


def trace_options(*, own: bool = True) -> tuple[Callable[..., Any], ...]:
    """How far a trace goes, and what of it is random. own: with defaults of their own, not a task's."""
    usual = "" if own else "  [default: the task's own]"
    return (
        click.option(
            "--fresh-environment",
            is_flag=True,
            help="What is random in the tools is drawn anew in every proposal, instead of fixed by one seed.",
        ),
        click.option(
            "--observation-tokens",
            type=click.IntRange(min=1),
            default=256 if own else None,
            show_default=own,
            help=f"Most tokens of what the tools answer to one turn; what is longer is cut, and says so.{usual}",
        ),
        click.option(
            "--max-turns",
            type=click.IntRange(1, 1000),
            default=8 if own else None,
            show_default=own,
            help=f"Most turns of the model; a call in the last one is not made.{usual}",
        ),
    )


def tool_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What the model may call."""
    for option in (
        click.option(
            "--environment-seed",
            type=click.IntRange(min=0, max=2**64 - 1),
            default=0,
            show_default=True,
            help="The seed of what is random in the tools, the same for all proposals.",
        ),
        *trace_options(),
        click.option(
            "--tool-format",
            metavar="FORMAT",
            help="How calls are written: hermes, llama3, qwen3-coder, plain or inline.  [default: as the chat template "
            "has it, else plain]",
        ),
        click.option(
            "--run-code", is_flag=True, help="The tools python may run the programs that the model writes."
        ),
        click.option(
            "--tools",
            "tools",
            multiple=True,
            metavar="NAME|FILE.py",
            help="Tools that the model may call: calculator, notes, sqlite, countdown-check, python, or the functions "
            "of a file of yours, which is run. The option may be repeated.",
        ),
    ):
        command = option(command)
    return command
