"""The settings to run a model with: the probe's verdict, kept per model, build, threads and processor."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Callable
from pathlib import Path

from localpower.children import command
from localpower.engine.files import recall, remember, sha256
from localpower.engine.probe import Verdict
from localpower.errors import EngineError, Interrupted, ModelError

_POLL_S = 0.1
_FORMAT = 8  # raise it when the probe's meaning changes: old verdicts are then made anew


def verdict_for(
    path: Path,
    *,
    threads: int,
    gpu_layers: int,
    exact: bool,
    say: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
    fresh: bool = False,
) -> Verdict:
    """Ask the cache, else the probe (a child process, once per model, build, threads and processor).

    Raises ModelError when llama.cpp cannot load the file or dies of it, Interrupted when stop() turns true. `fresh`
    ignores what is kept.
    """
    key = json.dumps(
        [_FORMAT, sha256(path), build(), threads, gpu_layers, exact, processor()], sort_keys=True
    )
    if not fresh and isinstance(known := recall("verdict", key), dict):
        try:
            return Verdict.from_json(known)
        except (KeyError, TypeError):
            pass  # written by another version: ask again
    say("Checking once how this model's log-probabilities behave on this machine ...")
    verdict = _ask(path, threads, gpu_layers, exact, stop)
    remember("verdict", key, verdict.to_json())
    return verdict


def _ask(path: Path, threads: int, gpu_layers: int, exact: bool, stop: Callable[[], bool]) -> Verdict:
    words = [*command("localpower.engine.probe"), "--threads", str(threads), "--gpu-layers", str(gpu_layers)]
    words += [*([] if exact else ["--fast"]), "--", str(path)]
    pipe = subprocess.PIPE
    # Ctrl-C is for this process to handle: the child is in a session of its own.
    with subprocess.Popen(words, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as child:
        while True:
            try:
                out, problems = child.communicate(timeout=_POLL_S)
                break
            except subprocess.TimeoutExpired:
                if stop():
                    child.kill()
                    raise Interrupted from None
            except BaseException:
                child.kill()
                raise
    if stop():  # Ctrl-C may have met the child before it had its own session
        raise Interrupted
    if child.returncode < 0:
        raise ModelError(
            f"llama.cpp was killed by signal {-child.returncode} while reading {path}",
            "the file is damaged, or memory ran out",
        )
    try:
        answer = json.loads(out)
    except ValueError:
        lines = problems.strip().splitlines() or ["no output"]
        raise EngineError(f"the engine check failed: {lines[-1]}") from None
    if "error" in answer:
        raise ModelError(answer["error"], answer["hint"])
    return Verdict.from_json(answer)


def build() -> str:
    """Identity of the installed llama.cpp, without loading it: the newest library file's size and time."""
    from importlib.metadata import version
    from importlib.util import find_spec

    spec = find_spec("llama_cpp")
    folder = Path(spec.origin).parent / "lib" if spec and spec.origin else Path()
    stats = [file.stat() for file in sorted(folder.glob("*")) if file.is_file()]
    marks = [(stat.st_size, stat.st_mtime_ns) for stat in stats]
    return f"{version('llama-cpp-python')} {marks}"


def processor() -> str:
    """The CPU's own name: kernels are chosen by it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text("utf-8", "replace").splitlines():
            if line.startswith(("model name", "CPU part")):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
