"""Runs a program of a model where it can do little harm: a fresh interpreter, limits, no network where possible.

It is a fence against accidents, not a prison: the sign of success is within the process's reach, so that code made to
hunt for it can forge one. What is in force is told by `isolation`.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import PathFinder
from pathlib import Path

_DRIVER = Path(__file__).with_name("driver.py")
_UNSHARE = ("unshare", "--user", "--map-root-user", "--net", "--pid", "--fork", "--kill-child")
_PROBE_S = 5.0
_GONE_S = 5.0  # until a killed process is given up
_LOOK_S = 0.01
_NOTHING: Mapping[str, str] = {}
_ONE_THREAD = {  # of libraries that would fill the memory limit with the stacks of many
    f"{name}_NUM_THREADS": "1" for name in ("OPENBLAS", "OMP", "MKL", "NUMEXPR")
}


@functools.cache
def isolation() -> str:
    """`namespaces`: no network, and no process outlives the run; `process`: limits and an outside kill alone."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return "process"
    try:
        done = subprocess.run([*_UNSHARE, "true"], capture_output=True, timeout=_PROBE_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "process"
    return "namespaces" if done.returncode == 0 else "process"


def folder_of(package: str) -> str | None:
    """Where a package lies that this Python can import; None for one that is not installed, or comes with Python."""
    spec = PathFinder.find_spec(package) if package.isidentifier() else None
    # a folder on the path may hold a script called __main__
    own = package in sys.stdlib_module_names or package == "__main__"
    if spec is None or spec.origin is None or own:
        return None
    return str(Path(spec.origin).parents[1 if spec.submodule_search_locations else 0])


def with_packages(packages: Mapping[str, str] | None, names: Sequence[str]) -> Mapping[str, str]:
    """The packages and those called so, as far as they are installed."""
    more = {name: folder for name in names if (folder := folder_of(name)) is not None}
    return {**more, **(packages or {})}


def passes(
    checks: str,
    seconds: float = 10.0,
    *,
    program: Sequence[str] = (),
    tested: Sequence[str] = (),
    packages: Mapping[str, str] = _NOTHING,
) -> bool:
    """Whether the checks ran to their end after the program, in so many seconds by the clock. Never raises for them.

    program: texts that are run as one module. tested: names of it that checks may use though builtins are called so.
    packages: that may be imported besides Python's own, with their folders.
    """
    sign = secrets.token_hex(16)
    job = {"program": list(program), "checks": checks, "tested": list(tested), "sign": sign}
    with _driven(job, packages) as (ours, process):
        return _told(ours, process, time.monotonic() + seconds) == sign.encode()


def output(program: str, seconds: float = 10.0, most: int = 1 << 16) -> str:
    """What a program prints, both streams, and after it the value of its last line or the error that ended it.

    Of what is longer than `most` bytes the beginning. Raises TimeoutError. Never raises for what the program does.
    """
    with _driven({"show": program}, _NOTHING) as (ours, process):
        told, end = b"", time.monotonic() + seconds
        while len(told) <= most:
            if (left := end - time.monotonic()) <= 0:
                raise TimeoutError(f"the program took longer than {seconds:g} s")
            ready, _, _ = select.select([ours], [], [], min(left, 0.05))
            data = os.read(ours, 1 << 16) if ready else b""
            told += data
            if (ready and not data) or (not ready and process.poll() is not None):
                break
    return told[:most].decode("utf-8", "replace")


@contextlib.contextmanager
def _driven(
    job: Mapping[str, object], packages: Mapping[str, str]
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The driver at work on a job: where it writes what it has to say, and its process, which is gone at the end."""
    mark = secrets.token_hex(16)
    wrapper = _UNSHARE if isolation() == "namespaces" else ()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        ours, theirs = os.pipe()
        environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": folder, "PYTHONHASHSEED": "0"}
        environment["LOCALPOWER_RUN"] = mark
        try:
            process = subprocess.Popen(
                [*wrapper, sys.executable, "-I", "-S", "-B", str(_DRIVER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=folder,
                env=environment | (_ONE_THREAD if packages else {}),
                pass_fds=(theirs,),
                start_new_session=True,
            )
        finally:
            os.close(theirs)
        try:
            with contextlib.suppress(OSError):
                assert process.stdin is not None
                process.stdin.write(json.dumps({**job, "packages": dict(packages), "fd": theirs}).encode())
                process.stdin.close()
            yield ours, process
        finally:
            os.close(ours)
            _end(process, mark)


def _told(descriptor: int, process: subprocess.Popen[bytes], deadline: float) -> bytes:
    """What the driver wrote until it ended or the time was over; what is longer than a sign is none."""
    told = b""
    while len(told) <= 64 and (left := deadline - time.monotonic()) > 0:
        ready, _, _ = select.select([descriptor], [], [], min(left, 0.05))
        if ready:
            data = os.read(descriptor, 65)
            told += data
            if not data or len(told) >= 32:
                break
        elif process.poll() is not None:  # ended without a word, whatever it left running
            break
    return told


def _end(process: subprocess.Popen[bytes], mark: str) -> None:
    """Kill the session, and on Linux whatever left it but still carries the mark; return when all of it is gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    end = time.monotonic() + _GONE_S
    while (left := _marked(mark)) and time.monotonic() < end:
        for number in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(number, signal.SIGKILL)
        time.sleep(_LOOK_S)  # the kernel takes a moment to take a killed process away


def _marked(mark: str) -> list[int]:
    """Processes that carry the mark, where they can be listed."""
    wanted, found = f"LOCALPOWER_RUN={mark}".encode(), []
    for folder in Path("/proc").glob("[0-9]*") if sys.platform == "linux" else ():
        with contextlib.suppress(OSError):
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found
