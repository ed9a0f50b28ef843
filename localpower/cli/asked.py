"""What is asked: PROMPT, the text on stdin, or both, as pipes of other programs bring them."""

from __future__ import annotations

import os
import select
import stat
import sys

import click

from localpower.cli.terminal import say
from localpower.errors import UserError

_SILENCE_S = 3.0  # a program that has sent nothing for so long may never do so


def read_prompt(argument: str | None, *, raw: bool) -> str:
    """PROMPT, with the text on stdin before it where there is some; '-', or none: stdin alone.

    raw: the two follow each other as they are, else on lines of their own. Raises UserError for what is no text.
    """
    if argument is None and sys.stdin.isatty():
        raise click.UsageError("no prompt: give PROMPT, or pipe text to stdin")
    if argument in (None, "-"):
        text = _stdin(raw=raw)
    elif argument and _something_comes():
        piped = _stdin(raw=raw)
        if piped.strip():
            say(f"note: {len(piped):,} characters from stdin stand before PROMPT")
        text = piped + argument if raw else f"{piped}\n\n{argument}" if piped.strip() else argument
    else:
        text = argument or ""
    if not text.strip():
        raise UserError("the prompt is empty")
    return text


def _something_comes() -> bool:
    """Whether stdin is a file, or a pipe that sends or is closed. A terminal is for typing, not for texts."""
    try:
        fd = sys.stdin.fileno()
        kind = os.fstat(fd).st_mode
        if stat.S_ISREG(kind):
            return True
        if not (stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind)):
            return False
        if os.name != "posix" or select.select((fd,), (), (), _SILENCE_S)[0]:
            return True
    except (OSError, ValueError):  # no file at all
        return False
    say("note: stdin is open but silent: PROMPT alone is answered (</dev/null saves the wait)")
    return False


def _stdin(*, raw: bool) -> str:
    """All of it. Raises UserError for what is no UTF-8."""
    try:
        text = sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"stdin is not UTF-8 text (byte {error.start + 1})") from None
    return text if raw else text.rstrip("\r\n")
