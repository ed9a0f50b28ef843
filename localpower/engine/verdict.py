"""The settings to run a model with: the probe's verdict, kept per model, build, threads and processor."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from localpower.engine.files import recall, remember, sha256
from localpower.engine.probe import Verdict, today
from localpower.errors import EngineError, ModelError
from localpower.subprocesses import ChildError, Died, ask

_FORMAT = 8  # raise it when the probe's meaning changes: old verdicts are then made anew


def verdict_for(
    path: Path,
    *,
    threads: int,
    gpu_layers: int,
    exact: bool,
    kv: int | None = None,
    say: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
    fresh: bool = False,
) -> Verdict:
    """Ask the cache, else the probe (a child process, once per model, build, threads and processor).

    say: hears how far the probe is. Raises ModelError when llama.cpp cannot load the file or dies of it, Interrupted
    when stop() turns true. `fresh` ignores what is kept. kv: bits of keys and values, 8 or 16, whose verdict is kept
    apart; None: as the probe chooses.
    """
    key = key_of(path, threads, gpu_layers, exact, kv)
    if not fresh and (known := _recalled(key)) is not None:
        return known

    def heard(stage: str) -> None:
        say(f"Checking once how exact the engine is, {stage}")

    heard("it begins")
    request = {"path": str(path), "threads": threads, "gpu_layers": gpu_layers, "exact": exact, "kv": kv}
    try:
        verdict = Verdict.from_json(ask("localpower.engine.probe", request, stop=stop, heard=heard))
    except Died as died:
        if not died.signal:
            raise EngineError(f"the engine check failed: {died}") from None
        raise ModelError(
            f"llama.cpp was killed by signal {died.signal} while reading {path}",
            "the file is damaged, or memory ran out",
        ) from None
    except ChildError as error:
        raise EngineError(f"the engine check failed: {error}") from None
    remember("verdict", key, verdict.to_json())
    return verdict


def keep_curve(key: str, curve: Mapping[int, float]) -> None:
    """Put a newer curve into the verdict that is kept under a key; nothing is done where none is."""
    if (known := _recalled(key)) is not None:
        remember("verdict", key, replace(known, curve=dict(curve), dated=today()).to_json())


def known_verdict(path: Path, *, threads: int, gpu_layers: int = 0, exact: bool = True) -> Verdict | None:
    """What the cache has; None: this file was never checked here with these settings. Nothing is measured."""
    return _recalled(key_of(path, threads, gpu_layers, exact))


def key_of(path: Path, threads: int, gpu_layers: int, exact: bool, kv: int | None = None) -> str:
    """Under which a verdict is kept: by all that decides it, the bytes of the file among them."""
    asked = [] if kv is None else [kv]  # verdicts that were kept before there was a choice stay
    return json.dumps(
        [_FORMAT, sha256(path), build(), threads, gpu_layers, exact, processor(), *asked], sort_keys=True
    )


def _recalled(key: str) -> Verdict | None:
    known = recall("verdict", key)
    try:
        return Verdict.from_json(known) if isinstance(known, dict) else None
    except (KeyError, TypeError):
        return None  # written by another version: ask again


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
