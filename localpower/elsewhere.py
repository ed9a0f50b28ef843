"""Models that lie elsewhere on this machine: with Ollama, LM Studio, in the model hub's cache, in a folder.

Nothing is copied. Names: ollama:NAME or ollama:NAME:TAG, lmstudio:FILE, hub:OWNER/REPO/FILE, folder:FILE. A FILE is
written without its ending, and without the number of its part.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from localpower import userfile
from localpower.errors import ModelError, UserError

KINDS = ("ollama", "lmstudio", "hub", "folder")
_WITHOUT_PART = re.compile(r"-00001-of-\d{5}$")
_LATER_PART = re.compile(r"-(?!00001)\d{5}-of-\d{5}\.gguf$")
_MODEL = "application/vnd.ollama.image.model"
_LIBRARY = ("registry.ollama.ai", "library")  # what Ollama leaves out of a name


def found() -> dict[str, Path]:
    """Every model by name. What cannot be read is left out."""
    models = dict([*_ollama(), *_lmstudio(), *_hub(), *_folder()])
    return {name: models[name] for name in sorted(models)}


def locate(name: str) -> Path:
    """The file. Raises ModelError, which names what there is of the kind."""
    kind, _, rest = name.partition(":")
    models = found()
    wanted = f"{kind.lower()}:{rest}"
    for each in (wanted, f"{wanted}:latest", wanted.removesuffix(".gguf")):
        if each in models:
            return models[each]
    own = [each for each in models if each.startswith(f"{kind.lower()}:")]
    hint = f"there are {', '.join(own)}" if own else f"no model of {kind} was found on this machine"
    raise ModelError(f"there is no model {name}", hint)


def spell_size(n_bytes: float) -> str:
    """A size in words, as 98 MB or 4.7 GB."""
    for unit in ("B", "kB", "MB"):
        if n_bytes < 999.5:
            return f"{n_bytes:.0f} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.1f} GB"


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
    """By the file's name; by its folders too where two have the same."""
    roots = (_home() / ".lmstudio" / "models", _home() / ".cache" / "lm-studio" / "models")
    places = [(root, path) for root in roots for path in _models(root)]
    times = Counter(path.stem for _, path in places)
    for root, path in places:
        name = path.stem if times[path.stem] == 1 else path.relative_to(root).with_suffix("").as_posix()
        yield f"lmstudio:{name}", path


def _folder() -> Iterator[tuple[str, Path]]:
    """The user's own folder of models."""
    root = models_folder()
    if root is None:
        return
    for path in _models(root):
        yield f"folder:{path.relative_to(root).with_suffix('').as_posix()}", path


def models_folder() -> Path | None:
    """LOCALPOWER_MODELS_FOLDER, else models-folder of the configuration file; None: there is none."""
    said = os.environ.get("LOCALPOWER_MODELS_FOLDER")
    if not said:
        try:
            said = userfile.read().get("models-folder")
        except UserError:  # told where settings are read
            return None
    return _expanded(str(said)) if said else None


def hub_cache() -> Path:
    """The folder where the hub's own programs keep what they fetched, by the variables that they heed."""
    named = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    if named:
        return _expanded(named)
    cache = os.environ.get("XDG_CACHE_HOME") or _home() / ".cache"
    return _expanded(os.environ.get("HF_HOME") or str(Path(cache) / "huggingface")) / "hub"


def hub_file(repo: str, file: str) -> Path | None:
    """A file of a repository, where it lies in the hub's cache; of several snapshots the one that is newest."""
    snapshots = hub_cache() / f"models--{repo.replace('/', '--')}" / "snapshots"
    try:
        found = [path for folder in snapshots.iterdir() if _is_file(path := folder / file)]
    except OSError:
        return None
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def hub_name(repo: str, file: str) -> str:
    """What -m calls a file of the hub."""
    return f"hub:{repo}/{_WITHOUT_PART.sub('', file.removesuffix('.gguf'))}"


def _hub() -> Iterator[tuple[str, Path]]:
    """The snapshots of the hub's own cache; of several the one that was changed last."""
    root = hub_cache()
    for path in sorted(_models(root), key=lambda each: each.stat().st_mtime):
        parts = path.relative_to(root).parts
        if parts[0].startswith("models--") and parts[1] == "snapshots" and len(parts) > 3:
            repo = parts[0].removeprefix("models--").replace("--", "/")
            yield hub_name(repo, "/".join(parts[3:])), path


def _models(folder: Path) -> list[Path]:
    """GGUF files; of one in several parts the first."""
    return [path for path in _files(folder, "*.gguf") if not _LATER_PART.search(path.name)]


def _expanded(text: str) -> Path:
    try:
        return Path(os.path.expandvars(text)).expanduser()
    except RuntimeError:
        return Path(text)


def _files(folder: Path, pattern: str) -> list[Path]:
    """Of folders that cannot be entered none."""
    found = [Path(place) / name for place, _, names in os.walk(folder) for name in names]
    return [path for path in found if path.match(pattern) and _is_file(path)]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False
