"""From a name or a file to a model that is ready to answer, checked on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from localpower.catalogue import NAMES, entry_of, locate
from localpower.errors import ModelError
from localpower.folders import kept_in
from localpower.loaded import Loaded, ModelInfo, Preset
from localpower.loaded.gguf import LoadedGguf
from localpower.loaded.toy import LoadedToy
from localpower.readers import AUTO_LAYERS

if TYPE_CHECKING:  # llama_cpp takes a quarter of a second to import: only a GGUF pays for it
    from localpower.engine.probe import Verdict
    from localpower.engine.weights import Weights


ALL_LAYERS = 999  # more than any model has


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked of the engine; None: automatic. fresh: make the engine's verdict anew.

    kv: bits of a number of keys and values, 8 or 16.
    """

    model: str | None = None
    threads: int | None = None
    ctx: int | None = None
    gpu_layers: int | None = None
    fast: bool = False
    fresh: bool = False
    kv: int | None = None


def load(
    request: Request,
    *,
    say: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
    at: Path | None = None,
    settled: Callable[[int, int], Verdict | None] = lambda _threads, _gpu_layers: None,
) -> Loaded:
    """Find, check and load a model. say: hears what is waited for.

    at: where its file lies, if not where its name says. settled: the engine's settings for so many threads and layers
    on the GPU, where they are known and need no check. Raises ModelError for a file that cannot be used, Interrupted by
    stop().
    """
    name, path = locate(request.model)
    if path is None:
        return LoadedToy(notes=_toy_notes(request))
    named, path = path, at or path
    from localpower.engine.cores import Governor, physical_cores
    from localpower.engine.files import check_file, sha256
    from localpower.engine.verdict import keep_curve, key_of, verdict_for
    from localpower.numerics import use_cores

    check_file(path, NAMES)
    threads = request.threads or physical_cores()
    gpu_layers = _layers(request.gpu_layers or 0)
    say(f"Reading {path.name}")
    verdict = settled(threads, gpu_layers) or verdict_for(
        path,
        threads=threads,
        gpu_layers=gpu_layers,
        exact=not request.fast,
        kv=request.kv,
        say=say,
        stop=stop,
        fresh=request.fresh,
    )
    if request.kv is not None and not request.fast and not verdict.exact:
        raise ModelError(
            f"keys and values of {request.kv} bits are not exact with this model here: log p moved by up to "
            f"{verdict.largest:.2g} nats with the batch shape",
            "--fast takes them all the same; without --kv the check of the engine chooses",
        )
    verdict.settings.set_environment()
    from localpower.engine.library import check_layout
    from localpower.engine.weights import Weights
    from localpower.text.vocabulary import Vocabulary

    check_layout()
    say(f"Loading {name}")
    use_cores(threads)
    governor = None if request.threads else Governor(threads)
    weights = Weights(path, repack=verdict.settings.repack, gpu_layers=gpu_layers, stop_loading=stop)
    n_ctx = request.ctx or weights.n_ctx_train
    if not n_ctx:
        raise ModelError(f"{path} says that its context has 0 tokens", "--ctx gives it another")
    info = ModelInfo(name, str(named), sha256(path), weights.quantization(), request.kv)
    return LoadedGguf(
        weights,
        Vocabulary(weights),
        info,
        verdict,
        "exact" if verdict.exact and not request.fast else min(verdict.largest, 1e9),
        _notes(request, verdict, weights),
        n_ctx,
        governor,
        _preset(name),
        partial(keep_curve, key_of(path, threads, gpu_layers, not request.fast, request.kv)),
    )


def check_there(model: str | None) -> None:
    """Raise UserError for a model that is not on this machine, or whose file is no model; nothing is loaded."""
    _, path = locate(model)
    if path is not None:
        from localpower.engine.files import check_file

        check_file(path, NAMES)


def _preset(name: str) -> Preset | None:
    """The catalogue is not read for a file."""
    entry = entry_of(name)
    return Preset(entry.alpha, raw=entry.template == "base") if entry else None


def _layers(asked: int) -> int:
    """On the GPU: as asked, or all where that is automatic and the build has one."""
    if asked != AUTO_LAYERS:
        return asked
    from localpower.engine.library import supports_gpu

    return ALL_LAYERS if supports_gpu() else 0


def _notes(request: Request, verdict: Verdict, weights: Weights) -> list[str]:
    from localpower.engine.library import supports_gpu

    notes = [note] if (note := kept_in("cache")[1]) else []
    if (request.gpu_layers or 0) > 0 and not supports_gpu():
        notes.append("--gpu-layers is not used: this build of llama.cpp has no GPU support")
    if request.fast:
        notes.append(
            "--fast: llama.cpp's own numerics; log p moved by up to "
            f"{verdict.largest:.2g} nats with the batch shape on this machine"
        )
    elif not verdict.exact:
        notes.append(
            "no settings are exact here: log p moved by up to "
            f"{verdict.largest:.2g} nats with the batch shape, so results are exact only to that"
        )
    if weights.is_recurrent():
        kind = weights.memory_kind()
        notes.append(
            f"this model's memory is {kind}: steps go back to checkpoints and evaluate some tokens again"
        )
    if request.ctx and request.ctx > weights.n_ctx_train:
        notes.append(f"--ctx {request.ctx} is more than the {weights.n_ctx_train} it was trained for")
    return notes


def _toy_notes(request: Request) -> list[str]:
    named = [("--threads", request.threads), ("--ctx", request.ctx), ("--gpu-layers", request.gpu_layers)]
    named.append(("--kv", request.kv))
    unused = [option for option, value in named if value is not None]
    unused += ["--fast"] if request.fast else []
    return [f"{option} means nothing to the toy model" for option in unused]
