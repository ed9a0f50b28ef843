"""Grades as Hugging Face's math-verify does, in a process of its own that can be killed.

A process, because sympy can run for ever or take all memory on a hostile answer, and because the package's own
time limits work in a main thread only. Needs the extra `math`; nothing else of localpower imports the package.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from typing import Any

from localpower.children import command
from localpower.errors import UserError
from localpower.grading.verdicts import NONE, Verdict

_START_S = 60.0  # sympy's import, from a cold disk
_LONGEST_REPLY = 1 << 24


def require() -> None:
    """Raises UserError where the package is not installed."""
    if importlib.util.find_spec("math_verify") is None:
        raise UserError(
            "--grader math-verify needs the package math-verify", "pip install 'localpower[math]'"
        )


class MathVerify:
    """Owns one worker, started by the first job and again after each that had to be killed or died."""

    def __init__(self, worker: Sequence[str] = ()) -> None:
        """worker: a command that speaks the worker's protocol; without one it is ours, which needs the package."""
        if not worker:
            require()
        self._command = list(worker or command("localpower.grading.math_verify_worker"))
        self._worker: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> MathVerify:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def grade(
        self, gold: str, *, answer: str | None = None, completion: str | None = None, seconds: float = 10.0
    ) -> Verdict:
        """An answer by itself, or one that math-verify finds in a completion.

        A job that takes longer, or that its process dies of, is wrong: math-verify could not tell that it is right.
        What was extracted is then the answer, if that was given. Raises UserError where the package does not work.
        """
        if not (answer if answer is not None else completion or "").strip():
            return NONE
        if self._worker is None or self._worker.poll() is not None:
            self._start()
        job = {"gold": gold, "answer": answer, "completion": completion, "seconds": seconds}
        reply = self._ask(job, seconds)
        if reply is None:
            return Verdict("wrong", answer)
        return Verdict(reply["verdict"], reply["extracted"])

    def close(self) -> None:
        """End the worker and what it may have started; the next job starts a new one."""
        worker, self._worker = self._worker, None
        if worker is not None:
            with contextlib.suppress(OSError), worker:  # a job that was not read whole
                _kill(worker)

    def _start(self) -> None:
        """The worker's first line says that it is ready, or what is missing."""
        self.close()
        pipe = subprocess.PIPE
        self._worker = subprocess.Popen(
            self._command,
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # a group to kill; and Ctrl-C is for this process to handle
        )
        problem = (self._ask(None, _START_S) or {"error": "its process ended"})["error"]
        if problem:
            self.close()
            raise UserError(f"math-verify does not work: {problem}", "pip install 'localpower[math]'")

    def _ask(self, job: dict[str, Any] | None, seconds: float) -> dict[str, Any] | None:
        """The worker's next line. None, and no worker any more, if none came in time."""
        worker = self._worker
        assert worker is not None
        assert worker.stdin is not None
        assert worker.stdout is not None
        late = threading.Event()

        def stop() -> None:  # ends a write or read that waits for the worker
            late.set()
            _kill(worker)

        timer = threading.Timer(seconds, stop)
        timer.start()
        reply: dict[str, Any] | None = None
        try:
            if job is not None:
                worker.stdin.write(json.dumps(job).encode() + b"\n")
                worker.stdin.flush()
            reply = json.loads(worker.stdout.readline(_LONGEST_REPLY))
        except (OSError, ValueError):
            pass
        finally:
            timer.cancel()
            timer.join()
            if reply is None or late.is_set():
                self.close()
        return reply


def _kill(worker: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(worker.pid, signal.SIGKILL)
