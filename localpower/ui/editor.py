"""Where the user's messages come from: a line editor with history, or the lines of a pipe."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

from localpower.errors import UserError
from localpower.folders import kept_in

_FENCE = '"""'
_MORE = "... "  # before each further line of a message
_PASTE_ON, _PASTE_OFF = "\x1b[?2004h", "\x1b[?2004l"  # what is pasted comes between marks


class Message(NamedTuple):
    """What was sent. literal: it was pasted, or put between three quotes: text and never a command."""

    text: str
    literal: bool = False


class Editor(Protocol):
    """Reads one line, or several that were typed as one message."""

    def read(self, prompt: str) -> Message:
        """What was typed. Raises EOFError at the end (Ctrl-D), KeyboardInterrupt for Ctrl-C."""

    def close(self) -> None:
        """Nothing more is read."""


class PipeEditor:
    """Each line of stdin is a message."""

    def read(self, prompt: str) -> Message:
        """The next line. Raises UserError for what is no UTF-8."""
        line = sys.stdin.buffer.readline()
        if not line:
            raise EOFError
        try:
            return Message(line.decode("utf-8-sig").rstrip("\r\n"))
        except UnicodeDecodeError:
            raise UserError("a line of stdin is not UTF-8 text") from None

    def close(self) -> None:
        """There is nothing to put back."""


class TerminalEditor:
    """prompt_toolkit on stderr: Enter sends, Alt-Enter breaks the line, arrows bring back what was sent."""

    def __init__(self, completions: Callable[[str], Iterable[str]], *, keep: bool = True) -> None:
        """completions: of the line as far as it was typed, whole lines. keep: what is typed is remembered."""
        from prompt_toolkit import PromptSession
        from prompt_toolkit.completion import Completer, Completion
        from prompt_toolkit.history import InMemoryHistory
        from prompt_toolkit.key_binding import KeyBindings
        from prompt_toolkit.keys import Keys
        from prompt_toolkit.output import create_output

        class Lines(Completer):
            """Completes the whole line."""

            def get_completions(self, document: Any, event: Any) -> Iterable[Any]:
                """Of a single line."""
                line = document.text
                if "\n" not in line and document.cursor_position == len(line):
                    for each in completions(line):
                        yield Completion(each, -len(line), display=each.rpartition(" ")[2])

        keys = KeyBindings()
        self._pasted = ""  # into the empty line

        @keys.add("enter")
        @keys.add("c-j")  # Enter again, typed while an answer was being drawn
        def _(event: Any) -> None:
            event.current_buffer.validate_and_handle()

        @keys.add("escape", "enter")
        @keys.add("escape", "c-j")
        def _(event: Any) -> None:
            event.current_buffer.insert_text("\n")

        @keys.add(Keys.BracketedPaste)
        def _(event: Any) -> None:
            data = event.data.replace("\r\n", "\n").replace("\r", "\n")
            self._pasted = self._pasted if event.current_buffer.text else data
            event.current_buffer.insert_text(data)

        def changed(buffer: Any) -> None:
            self._pasted = self._pasted if buffer.text else ""  # it was taken back

        output = create_output(stdout=sys.stderr)
        output.enable_cpr = False  # type: ignore[attr-defined] # it warns of terminals that do not say where the cursor is
        self._session: Any = PromptSession(
            history=_history() if keep else InMemoryHistory(),
            key_bindings=keys,
            multiline=True,
            prompt_continuation=lambda width, line, wraps: " " * len(_MORE) if wraps else _MORE,
            completer=Lines(),
            enable_open_in_editor=True,
            complete_while_typing=False,
            enable_suspend=True,
            output=output,
        )
        self._session.default_buffer.on_text_changed += changed

    def read(self, prompt: str) -> Message:
        """One message."""
        self._pasted = ""
        try:
            text = str(self._session.prompt(prompt))
        finally:
            # A paste while an answer is drawn is one message as well, not one for each line.
            _write(_PASTE_ON)
        return Message(text, bool(self._pasted) and text.startswith(self._pasted))

    def close(self) -> None:
        """Leave the terminal as it was."""
        _write(_PASTE_OFF)


def _write(text: str) -> None:
    if os.environ.get("TERM") != "dumb":
        with contextlib.suppress(OSError):
            sys.stderr.write(text)
            sys.stderr.flush()


def _history() -> Any:
    """Kept in a file between chats; in memory where that cannot be written."""
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    class Kept(FileHistory):
        """Whatever was typed, and wherever the file has gone, the chat goes on."""

        def store_string(self, string: str) -> None:
            with contextlib.suppress(OSError):
                super().store_string(string.encode("utf-8", "replace").decode())

    folder, _ = kept_in("state")
    if folder is None:
        return InMemoryHistory()
    try:
        path = folder / "chat-history"
        path.touch(mode=0o600)
        with path.open("ab"):
            return Kept(str(path))
    except OSError:
        return InMemoryHistory()


def read_message(editor: Editor, prompt: str) -> Message:
    """One message; one that opens with three quotes goes on until they are closed, else UserError."""
    message = editor.read(prompt)
    if message.literal or not message.text.startswith(_FENCE):
        return message
    text = message.text.removeprefix(_FENCE)
    while not text.rstrip().endswith(_FENCE):
        try:
            text += "\n" + editor.read(_MORE).text
        except EOFError:
            raise UserError("the text in three quotes was not closed") from None
    return Message(text.rstrip().removesuffix(_FENCE).strip("\n"), literal=True)
