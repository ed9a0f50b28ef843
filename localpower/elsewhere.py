"""Models that other programs have on this machine: Ollama, LM Studio and the model hub's cache. Never copied.

Names: ollama:NAME or ollama:NAME:TAG, lmstudio:FILE, hub:OWNER/REPO/FILE. A FILE is written without its ending.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from localpower.errors import ModelError

KINDS = ("ollama", "lmstudio", "hub")
_MODEL = "application/vnd.ollama.image.model"
_LIBRARY = ("registry.ollama.ai", "library")  # what Ollama leaves out of a name


def found() -> dict[str, Path]:
    """Every model by name. What cannot be read is left out."""
    models = dict([*_ollama(), *_lmstudio(), *_hub()])
    return {name: models[name] for name in sorted(models)}


def locate(name: str) -> Path:
    """The file. Raises ModelError, which names what there is of the kind."""
    kind, _, rest = name.partition(":")
    models = found()
    wanted = f"{kind.lower()}:{rest}"
    for each in (wanted, f"{wanted}:latest"):
        if each in models:
            return models[each]
    own = [each for each in models if each.startswith(f"{kind.lower()}:")]
    hint = f"there are {', '.join(own)}" if own else f"no model of {kind} was found on this machine"
    raise ModelError(f"there is no model {name}", hint)


def is_elsewhere(name: str) -> bool:
    """Whether a name is of this form."""
    kind, colon, rest = name.partition(":")
    return bool(colon and rest) and kind.lower() in KINDS


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # a user without one
        return Path(os.devnull)


def _ollama() -> Iterator[tuple[str, Path]]:
    """By manifests: one JSON file for each tag, whose layer of weights is a file called by its checksum."""
    folder = Path(os.environ.get("OLLAMA_MODELS") or _home() / ".ollama" / "models")
    for manifest in _files(folder / "manifests", "*"):
        try:
            layers = json.loads(manifest.read_text("utf-8"))["layers"]
            digest = next(str(layer["digest"]) for layer in layers if layer["mediaType"] == _MODEL)
        except (OSError, ValueError, LookupError, TypeError, StopIteration, RecursionError):
            continue
        if not re.fullmatch(r"sha256:[0-9a-f]{1,64}", digest):
            continue
        blob = folder / "blobs" / digest.replace(":", "-")
        *owner, name, tag = manifest.relative_to(folder / "manifests").parts
        shown = "/".join([*(owner if tuple(owner) != _LIBRARY else ()), name])
        if _is_file(blob):
            yield f"ollama:{shown}:{tag}", blob


def _lmstudio() -> Iterator[tuple[str, Path]]:
    for folder in (_home() / ".lmstudio" / "models", _home() / ".cache" / "lm-studio" / "models"):
        for path in _files(folder, "*.gguf"):
            yield f"lmstudio:{path.stem}", path


def _hub() -> Iterator[tuple[str, Path]]:
    """The snapshots of the hub's own cache; of several the one that was changed last."""
    home = os.environ.get("HF_HOME") or _home() / ".cache" / "huggingface"
    folder = Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub")
    for path in sorted(_files(folder, "*.gguf"), key=lambda each: each.stat().st_mtime):
        parts = path.relative_to(folder).parts
        if parts[0].startswith("models--") and "snapshots" in parts:
            repo = parts[0].removeprefix("models--").replace("--", "/")
            yield f"hub:{repo}/{path.stem}", path


def _files(folder: Path, pattern: str) -> list[Path]:
    """Of folders that cannot be entered none."""
    found = [Path(place) / name for place, _, names in os.walk(folder) for name in names]
    return [path for path in found if path.match(pattern) and _is_file(path)]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False
