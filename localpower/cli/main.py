"""The command line: parse, hand over, choose an exit code. One line for every problem."""

from __future__ import annotations

import sys
import traceback
from errno import EIO, ENOSPC

import click

from localpower import __version__
from localpower.cli.bench import bench
from localpower.cli.chat import chat
from localpower.cli.compare import compare
from localpower.cli.completion import completion
from localpower.cli.config import config
from localpower.cli.eval import evaluate
from localpower.cli.explain import explain
from localpower.cli.export import export
from localpower.cli.grade import grade
from localpower.cli.log import log
from localpower.cli.mcp import mcp
from localpower.cli.methods import methods
from localpower.cli.models import models
from localpower.cli.process import open_streams
from localpower.cli.regrade import regrade
from localpower.cli.replay import replay
from localpower.cli.run import run
from localpower.cli.sections import Root, no_such, wrong_use
from localpower.cli.selftest import selftest
from localpower.cli.serve import serve
from localpower.cli.sessions import sessions
from localpower.cli.tasks import tasks
from localpower.cli.tools import tools
from localpower.cli.watch import watch
from localpower.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_PROBLEM, EXIT_USAGE, Interrupted, UserError


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(__version__, prog_name="localpower")
def cli() -> None:
    """Sample whole answers towards p(x | prompt)^alpha with GGUF models."""


for _command in (
    *(run, chat, sessions, log, methods, models, tools, tasks, evaluate, compare, regrade, grade, export),
    *(explain, replay, selftest, bench, serve, watch, mcp, config, completion),
):
    cli.add_command(_command)


@cli.command("help", hidden=True)
@click.argument("command", required=False)
@click.pass_context
def help_(ctx: click.Context, command: str | None) -> None:
    """Show the help of COMMAND, or of all."""
    assert ctx.parent is not None
    found = cli.get_command(ctx.parent, command) if command else cli
    if found is None:
        raise click.UsageError(f"No such command {command!r}.", ctx.parent)
    inner = ctx.parent if found is cli else click.Context(found, ctx.parent, info_name=command)
    click.echo(found.get_help(inner))


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code. arguments: None for those of the process, and with its streams."""
    own, arguments = arguments is None, sys.argv[1:] if arguments is None else arguments
    try:
        if own:
            open_streams()
        code = _obeyed(arguments)
        sys.stdout.flush()
        return code if isinstance(code, int) else EXIT_OK
    except click.NoSuchOption as error:
        _problem(no_such(error))
        return EXIT_USAGE
    except click.UsageError as error:
        _problem(wrong_use(error))
        return EXIT_USAGE
    except UserError as error:
        _trace(arguments)
        _problem(error.line())
        return error.exit_code
    except (KeyboardInterrupt, Interrupted, click.Abort):
        _problem("interrupted")
        return EXIT_INTERRUPTED
    except OSError as error:
        _trace(arguments)
        full = "stdout" if error.errno in (ENOSPC, EIO) else ""  # what writes files says which
        _problem(f"{error.strerror or error}{f': {where}' if (where := error.filename or full) else ''}")
        return EXIT_PROBLEM
    except Exception as error:  # a bug of ours: still one line
        _trace(arguments)
        _problem(f"bug: {type(error).__name__}: {error} (--debug shows where)")
        return EXIT_PROBLEM


def _obeyed(arguments: list[str]) -> object:
    try:
        return cli.main(arguments, prog_name="localpower", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help())
        return EXIT_OK


def _trace(arguments: list[str]) -> None:
    if "--debug" in arguments:
        traceback.print_exc()


def _problem(text: str) -> None:
    from localpower.cli.terminal import say

    say(f"localpower: {' '.join(text.split())}")
