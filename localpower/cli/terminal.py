"""stdin, stdout and stderr at the edge: reading the prompt, writing the answer, choosing a view."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import click

from localpower.errors import OutputClosed, UserError


def read_prompt(argument: str | None, *, raw: bool) -> str:
    """The PROMPT argument, or stdin when it is absent or '-'. Raises UserError for what is no text."""
    if argument is None and sys.stdin.isatty():
        raise click.UsageError("no prompt: give PROMPT, or pipe text to stdin")
    if argument is None or argument == "-":
        try:
            text = sys.stdin.buffer.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UserError(f"stdin is not UTF-8 text (byte {error.start + 1})") from None
        text = text if raw else text.rstrip("\r\n")
    else:
        text = argument
    if not text.strip():
        raise UserError("the prompt is empty")
    return text


def say(line: str) -> None:
    """A line on stderr, where everything but the answer goes."""
    from localpower.ui.view import harmless

    print(harmless(line), file=sys.stderr, flush=True)


def tenths(verb: str, things: str) -> Callable[[int, int], None]:
    """A listener to (done, of how many) that says a line for every tenth."""

    def heard(done: int, n: int) -> None:
        if done * 10 // n > (done - 1) * 10 // n:
            say(f"{verb} {done:,} of {n:,} {things}")

    return heard


def write_answer(text: str) -> None:
    """The answer on stdout, ended by one line break; a terminal is never sent control characters.

    Raises OutputClosed when nobody reads it.
    """
    if sys.stdout.isatty():
        from localpower.ui.view import harmless

        text = harmless(text)
    data = (text if text.endswith("\n") else text + "\n").encode("utf-8", "replace")
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Python would flush stdout once more at exit and fail again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OutputClosed("stdout was closed before the whole answer was written") from None


def can_redraw() -> bool:
    """Whether stderr is a terminal that may be drawn on."""
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
