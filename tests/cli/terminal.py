"""A terminal for tests: the real command in a pseudo-terminal, its screen read by a terminal emulator."""

from __future__ import annotations

import os
import sys

import pexpect
import pyte


class Terminal:
    """`python -m localpower ARGS` with stdin, stdout and stderr on one pseudo-terminal of `rows` by `columns`; or another program."""

    def __init__(self, *arguments, rows=24, columns=80, environment=None, program=None):
        plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        settings = plain | {"TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1"} | (environment or {})
        command = program or [sys.executable, "-m", "localpower", *arguments]
        self.child = pexpect.spawn(
            command[0],
            command[1:],
            dimensions=(rows, columns),
            env=settings,
            timeout=60,
            echo=False,
        )
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.raw = b""

    def lines(self):
        """The screen as a person sees it, empty lines left out."""
        return [line.rstrip() for line in self._screen.display if line.strip()]

    @property
    def text(self):
        """The screen as one string."""
        return "\n".join(self.lines())

    @property
    def screen(self):
        """The emulator's own: characters and their attributes."""
        return self._screen

    @property
    def cursor_hidden(self):
        """Whether the cursor was left hidden."""
        return self._screen.cursor.hidden

    def wait_until(self, true):
        """Read until true(self); raises pexpect.TIMEOUT after a minute without, EOF when the command ended."""
        while not true(self):
            self._feed(self.child.read_nonblocking(4096, timeout=60))

    def _feed(self, data):
        self.raw += data
        self._stream.feed(data)

    def send(self, data):
        """Type."""
        self.child.send(data)

    def interrupt(self):
        """Ctrl-C."""
        self.child.sendintr()

    def resize(self, rows, columns):
        """The window changes."""
        self._screen.resize(rows, columns)
        self.child.setwinsize(rows, columns)

    def finish(self):
        """Read to the end; the exit code."""
        try:
            while True:
                self._feed(self.child.read_nonblocking(4096, timeout=60))
        except pexpect.EOF:
            pass
        self.child.close()
        return self.child.exitstatus if self.child.exitstatus is not None else -self.child.signalstatus
