"""Options on tools: what a model may call, and how far a trace goes."""

from __future__ import annotations

import click

from localpower.cli.options import WHOLE, Option, flag, seed_option, together


def trace_options(*, own: bool = True) -> Option:
    """How far a trace goes, and what of it is random. own: with defaults of their own, not a task's."""
    usual = "" if own else "  [default: the task's own]"
    return together(
        click.option(
            "--max-turns",
            type=click.IntRange(1, 1000),
            default=8 if own else None,
            help=f"Most turns of the model; a call in the last one is not made.{usual}",
        ),
        click.option(
            "--observation-tokens",
            type=WHOLE,
            default=256 if own else None,
            help=f"Most tokens of what the tools answer to one turn; what is longer is cut, and says so.{usual}",
        ),
        flag(
            "--fresh-environment",
            help="What is random in the tools is drawn anew in every proposal, instead of fixed by one seed.",
        ),
    )


tool_options = together(
    click.option(
        "--tools",
        "tools",
        multiple=True,
        metavar="NAME|FILE.py",
        help="Tools that the model may call: calculator, notes, sqlite, countdown-check, python, or the functions "
        "of a file of yours, which is run. The option may be repeated.",
    ),
    flag("--run-code", help="The tools python may run the programs that the model writes."),
    click.option(
        "--tool-format",
        metavar="FORMAT",
        help="How calls are written: hermes, llama3, qwen3-coder, plain or inline.  [default: as the chat template "
        "has it, else plain]",
    ),
    trace_options(),
    seed_option(
        *("--environment-seed", 0),
        help="The seed of what is random in the tools, the same for all proposals.",
    ),
)
