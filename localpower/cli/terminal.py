"""stdout and stderr at the edge: writing the answer, notes beside it, choosing a view."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TextIO

import click

if TYPE_CHECKING:
    from localpower.api.answer_run import AnswerRun
    from localpower.runs.answer import Answer
    from localpower.ui.plain import View
    from localpower.ui.status import Status


def is_quiet() -> bool:
    """Whether the command that runs was given --quiet."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.params.get("quiet"))


def interactive() -> bool:
    """Whether a person types: stdin is a terminal, and so is the one that questions are shown on."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def say(line: str, *, always: bool = False) -> None:
    """A line on stderr, where everything but the answer goes. always: with --quiet too, for problems and replies."""
    from localpower.ui.view import one_line

    if always or not is_quiet():
        with contextlib.suppress(OSError):  # what cannot be said costs no answer
            print(_wrapped(one_line(line), sys.stderr), file=sys.stderr, flush=True)


def tell(notes: Iterable[str], *, always: bool = False) -> None:
    """Notes, each on a line of stderr."""
    for note in notes:
        say(f"note: {note}", always=always)


def _wrapped(text: str, stream: TextIO) -> str:
    """With lines that are broken at words where the stream is a terminal."""
    from localpower.ui.wrap import wrapped

    return wrapped(text, _columns(stream)) if stream.isatty() else text


def _columns(stream: TextIO) -> int:
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return columns or shutil.get_terminal_size().columns


def waiting() -> Status:
    """What shows on stderr what is waited for; call it with the words."""
    from localpower.ui.status import Status

    return Status(redraw=can_redraw())


class Heedless(io.StringIO):
    """A stream that goes on where nobody hears: what cannot be said costs no answer."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    def write(self, text: str) -> int:
        """At once, broken at words where it is a terminal."""
        with contextlib.suppress(OSError):
            self._stream.write(_wrapped(text, self._stream))
            self._stream.flush()
        return len(text)

    def isatty(self) -> bool:
        """As the stream."""
        return self._stream.isatty()


def notes() -> TextIO:
    """Where the lines of a plain view go."""
    return io.StringIO() if is_quiet() else Heedless(sys.stderr)


def keep_in_log(answer: Answer, options: Mapping[str, Any], prompt: str, session: str | None = None) -> bool:
    """Put an answer into the log, if that is on; False where it could not be kept, which costs a note and no more."""
    from localpower.api.first_use import first_use
    from localpower.api.log import Entry, append, switched_on
    from localpower.errors import UserError

    if not switched_on(options):
        return True
    context = click.get_current_context(silent=True)
    command = str(context.info_name) if context is not None else ""
    try:
        append(Entry.of(answer, command, prompt, options["system"], session))
    except (UserError, OSError, ValueError) as error:
        say(f"note: this answer is not in the log: {error.line() if isinstance(error, UserError) else error}")
        return False
    if sys.stderr.isatty() and (shown := first_use("log")) is not None:
        say(
            "note: answers are kept on this machine, for `localpower log`; `localpower log off` switches that off"
        )
        shown()
    return True


def view_of(job: AnswerRun, *, whole: bool = False) -> View:
    """The view of a run that is about to begin: live where stderr can be redrawn, else plain lines.

    whole: thoughts are shown whole.
    """
    from localpower.api.first_use import first_use
    from localpower.ui.body import Fold
    from localpower.ui.live import view_on

    redraw, started = can_redraw(), job.started
    view = view_on(
        None if redraw else notes(),
        job.loaded.piece,
        started.settings,
        started.n_chains,
        len(started.prompt),
        plain_seconds=job.plain_seconds,
        explain=first_use("legend") if redraw else None,
        fold=Fold(job.question.thought, job.question.thinking_budget, whole),
    )
    job.engine.watch(view.read)
    return view


def tenths(verb: str, things: str) -> Callable[[int, int], None]:
    """A listener to (done, of how many) that says a line for every tenth."""

    def heard(done: int, n: int) -> None:
        if done * 10 // n > (done - 1) * 10 // n:
            say(f"{verb} {done:,} of {n:,} {things}")

    return heard


def write_markdown(text: str) -> None:
    """An answer on stdout, its Markdown rendered where that is a terminal with colours. Raises OutputClosed."""
    if not coloured():
        write_answer(text, prose=True)
        return
    from localpower.ui.markdown import rendered

    shown = rendered(text, _columns(sys.stdout))
    if text.strip() and not re.sub(r"\x1b\[[\d;]*m", "", shown).strip():  # marks of Markdown alone
        write_answer(text, prose=True)
        return
    sys.stdout.write(shown + "\n")
    sys.stdout.flush()


def write_dim(text: str) -> None:
    """Lines on stdout in a dim style, where that is a terminal with colours. Raises OutputClosed."""
    from localpower.ui.view import harmless

    for line in _wrapped(harmless(text), sys.stdout).split("\n"):
        sys.stdout.write(f"\x1b[2m{line}\x1b[22m\n" if line else "\n")
    sys.stdout.flush()


def write_answer(text: str, *, prose: bool = False) -> None:
    """The answer on stdout, ended by one line break.

    prose: what a model wrote: byte for byte into a file or a pipe, wrapped at words on a terminal. Control characters
    go neither to a terminal nor into a table.
    Raises OutputClosed when nobody reads it.
    """
    if sys.stdout.isatty() or not prose:
        from localpower.ui.view import harmless

        text = _wrapped(harmless(text), sys.stdout) if prose else harmless(text)
    sys.stdout.flush()
    sys.stdout.buffer.write((text if text.endswith("\n") else text + "\n").encode("utf-8", "replace"))
    sys.stdout.buffer.flush()


def _plain() -> bool:
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


def coloured() -> bool:
    """Whether stdout is a terminal with colours."""
    return sys.stdout.isatty() and not _plain()


def can_redraw() -> bool:
    """Whether stderr is a terminal that may be drawn on."""
    return sys.stderr.isatty() and not _plain() and not is_quiet()
