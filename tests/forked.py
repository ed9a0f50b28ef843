"""The command in processes of its own, without the half second in which an interpreter imports it.

A process that has imported the command waits beside the tests. For each call it forks one that has the arguments,
environment, folder and streams of the caller, and goes on as `python -m localpower` does: its exit code, its death by
a signal and what it does with pipes and terminals are those of a real process. What depends on how an interpreter
starts needs one of its own.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import warnings
from importlib import import_module

COMMAND = (sys.executable, "-m", "localpower")
_WARM = """
    greenlet numpy.random shlex localpower.cli.crash localpower.cli.main localpower.cli.asked localpower.cli.talk
    localpower.api.answer_run localpower.api.chat localpower.api.config localpower.api.eval_run
    localpower.api.first_use localpower.api.models localpower.api.packages localpower.api.presets localpower.api.pull
    localpower.engine.header localpower.engine.llama localpower.evals.grade localpower.evals.tasks
    localpower.engine.recurrent localpower.engine.streams localpower.engine.verdict localpower.loaded.gguf
    localpower.runs.record localpower.ui.diagnosis localpower.ui.editor localpower.ui.live localpower.ui.plain
    localpower.ui.plots
"""
# What an interpreter or a library reads once, as it starts.
_AT_START = ("PYTHON", "LANG", "LC_", "LD_", "OMP_", "GOMP_", "GGML_", "HF_", "HOME", "XDG_")
# What the package itself sets where it is imported.
_OURS = {"GGML_NO_BACKTRACE", "GOMP_SPINCOUNT", "HF_HUB_DISABLE_TELEMETRY"}
_NUMBER = struct.Struct("q")
_waiting: list[socket.socket] = []
began_with = dict(os.environ)  # conftest.py changes it once


def can_be_forked(env):
    """Whether an environment changes nothing that is read before a process is forked."""
    names = (name for name in {*env, *began_with} - _OURS if name.startswith(_AT_START))
    return all(env.get(name) == began_with.get(name) for name in names)


def command(*arguments, stdin=None, text=False, env=None, cwd=None, check=False):
    """`localpower ARGUMENTS` to its end, as `subprocess.run` with its output captured.

    stdin: what it reads through a pipe, bytes or a string; None: it reads /dev/null. env: None for the caller's own.
    """
    words = [os.fsdecode(each) for each in arguments]
    data = stdin.encode() if isinstance(stdin, str) else stdin
    if can_be_forked(os.environ if env is None else env):
        done = _forked(words, data, env, cwd)
    else:
        more = {"stdin": subprocess.DEVNULL} if data is None else {"input": data}
        done = subprocess.run([*COMMAND, *words], capture_output=True, env=env, cwd=cwd, check=False, **more)
    if check:
        done.check_returncode()
    if text:
        done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
    return done


def _forked(words, data, env, cwd):
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        read, write = (os.open(os.devnull, os.O_RDONLY), None) if data is None else os.pipe()
        process = Forked(words, (read, out.fileno(), err.fileno()), env, cwd)
        os.close(read)
        if write is not None:
            with contextlib.suppress(BrokenPipeError), open(write, "wb") as pipe:
                pipe.write(data)
        code = process.wait()
        said = [file.read() for file in (out, err) if not file.seek(0)]
        return subprocess.CompletedProcess(["localpower", *words], code, *said)


class Forked:
    """A running `localpower WORDS`. pid: of it; streams: its stdin, stdout and stderr, which stay open here too.

    terminal: the streams are one pseudo-terminal, which becomes its own.
    """

    def __init__(self, words, streams, env=None, cwd=None, terminal=False):
        call = [words, dict(os.environ if env is None else env), os.fspath(cwd or os.getcwd()), terminal]
        data = json.dumps(call).encode("ascii")
        waiting = _one_that_waits()
        self._told, tells = os.pipe()
        socket.send_fds(waiting, [_NUMBER.pack(len(data))], [*streams, tells])
        os.close(tells)
        waiting.sendall(data)
        self.pid, self._code = self._hear(), None

    def _hear(self):
        (number,) = _NUMBER.unpack(os.read(self._told, _NUMBER.size))
        return number

    def wait(self):
        """Its exit code, once it has ended: -n where signal n killed it."""
        if self._code is None:
            self._code = os.waitstatus_to_exitcode(self._hear())
            os.close(self._told)
        return self._code


def _one_that_waits():
    if not _waiting:
        ours, theirs = socket.socketpair()
        line = [sys.executable, __file__, str(theirs.fileno())]
        pipes = {"pass_fds": [theirs.fileno()], "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
        process = subprocess.Popen(line, **pipes, env=began_with, start_new_session=True)
        theirs.close()
        _waiting.append(ours)
        atexit.register(lambda: (ours.close(), process.wait()))
    return _waiting[0]


def _wait(channel):
    """In the process that waits: fork one for each call. Returns in that one alone."""
    for name in _WARM.split():
        with contextlib.suppress(
            ModuleNotFoundError
        ):  # one that has another name by now costs time, nothing else
            import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        head, fds, _, _ = socket.recv_fds(channel, _NUMBER.size, 4)
        if not head:
            sys.exit()
        size, call = _NUMBER.unpack(head)[0], b""
        while len(call) < size:
            call += channel.recv(size - len(call))
        with warnings.catch_warnings(action="ignore"):  # of the threads that numpy has waiting
            if os.fork() == 0:
                channel.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                if (pid := os.fork()) == 0:
                    break
                os.write(fds[3], _NUMBER.pack(pid))
                os.write(fds[3], _NUMBER.pack(os.waitpid(pid, 0)[1]))
                os._exit(0)
        for fd in fds:
            os.close(fd)
    _become(*json.loads(call), fds)


def _become(words, env, cwd, terminal, fds):
    for number, fd in enumerate(fds[:3]):
        os.dup2(fd, number)
    for fd in fds:
        os.close(fd)
    if terminal:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.argv, sys.path[0] = ["localpower", *words], cwd
    as_before = {"encoding": sys.stdin.encoding, "closefd": False}
    sys.stdin = open(0, errors=sys.stdin.errors, **as_before)  # noqa: SIM115
    sys.stdout = open(1, "w", errors=sys.stdout.errors, **as_before)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, errors="backslashreplace", **as_before)  # noqa: SIM115


if __name__ == "__main__":
    _wait(socket.socket(fileno=int(sys.argv[1])))
    from localpower.__main__ import entry

    entry()
