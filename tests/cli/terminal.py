"""The real command for tests: in a process of its own, or in a pseudo-terminal whose screen an emulator reads."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
import time

import pexpect
import pexpect.fdpexpect
import pyte

from tests import forked

BASE = list(forked.COMMAND)


def command(*arguments, stdin="", lines=(), check=False, **more):
    """Run it with a text or bytes on stdin, or with lines; what it says is a text, or bytes as well."""
    given, text = "\n".join(lines) or stdin, isinstance(stdin, str)
    if more.keys() <= {"env", "cwd"}:
        return forked.command(*arguments, stdin=given, text=text, check=check, **more)
    more = {"input": given, "text": text, "capture_output": True} | more
    return subprocess.run([*BASE, *arguments], check=check, timeout=120, **more)


class _Forked(pexpect.fdpexpect.fdspawn):
    """What `pexpect.spawn` is to a program, for the command that is forked."""

    def __init__(self, arguments, dimensions, env, timeout):
        ours, theirs = pty.openpty()
        settings = termios.tcgetattr(theirs)
        settings[3] &= ~termios.ECHO
        termios.tcsetattr(theirs, termios.TCSANOW, settings)
        super().__init__(ours, timeout=timeout)
        self.setwinsize(*dimensions)
        self._command = forked.Forked(arguments, [theirs] * 3, env, terminal=True)
        os.close(theirs)

    def send(self, data):
        time.sleep(
            0.05
        )  # as pexpect's own: nobody types the moment a prompt appears, before the terminal is set
        return super().send(data)

    def setwinsize(self, rows, columns):
        fcntl.ioctl(self.fileno(), termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def sendintr(self):
        self.send(b"\x03")

    def kill(self, number):
        os.kill(self._command.pid, number)

    def close(self):
        super().close()
        code = self._command.wait()
        self.exitstatus, self.signalstatus = (code, None) if code >= 0 else (None, -code)


class Deaf:
    """A listener that hears nothing."""

    def event(self, chain, event):
        """Of a run."""

    def asked(self, chain, context):
        """Of a proposal."""


class Terminal:
    """`localpower ARGS` with stdin, stdout and stderr on one pseudo-terminal of `rows` by `columns`; or another program."""

    def __init__(self, *arguments, rows=24, columns=80, environment=None, program=None):
        plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        settings = plain | {"TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1"} | (environment or {})
        options = {"dimensions": (rows, columns), "env": settings, "timeout": 60}
        if program is None and forked.can_be_forked(settings):
            self.child = _Forked(list(map(str, arguments)), **options)
        else:
            command, *words = program or [*BASE, *arguments]
            self.child = pexpect.spawn(command, words, **options, echo=False)
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

    def wait_for(self, *texts, end=""):
        """Read until all of these stand on the screen, and `end` at its end."""
        self.wait_until(lambda t: all(text in t.text for text in texts) and t.text.endswith(end))

    def send(self, data):
        """Type."""
        self.child.send(data)

    def enter(self, line, *texts, end=""):
        """Type a line, and wait for what comes of it."""
        self.send(line + "\r")
        self.wait_for(*texts, end=end)

    def leave(self):
        """Ctrl-D at a chat's prompt, with which it ends well."""
        self.wait_for(end=">>>")
        self.send("\x04")
        assert self.finish() == 0

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
