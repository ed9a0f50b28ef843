"""What is asked: files, the text on stdin that a pipe of another program brings, and PROMPT."""

from __future__ import annotations

import os
import select
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from localpower import inputs
from localpower.cli.terminal import say
from localpower.errors import UserError

_SILENCE_S = 3.0  # a program that has sent nothing for so long may never do so


def read_prompt(argument: str | None, *, raw: bool, files: Sequence[Path] = ()) -> str:
    """PROMPT, with files and the text on stdin before it where there are some; '-', or nothing else: stdin alone.

    raw: they follow each other as they are, else with an empty line between. Raises UserError for what is no text.
    """
    parts = [inputs.text(inputs.read(path, "--file takes a text file"), str(path)) for path in files]
    alone = argument == "-" or (argument is None and not files)
    if alone:
        if argument is None and sys.stdin.isatty():
            raise click.UsageError("no prompt: give PROMPT, or pipe text to stdin")
        parts.append(_stdin(raw=raw))
    elif argument != "" and _something_comes():
        piped = _stdin(raw=raw)
        parts.append(piped)
        if piped.strip():
            say(f"note: {len(piped):,} characters from stdin stand before PROMPT")
    if not alone and argument is not None:
        parts.append(argument)
    if raw:
        text = "".join(parts)
    else:
        text = "\n\n".join([*(part.rstrip("\r\n") for part in parts[:-1] if part.strip()), *parts[-1:]])
    if not text.strip():
        raise UserError("the prompt is empty", 'localpower run "PROMPT", or a text through a pipe')
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
