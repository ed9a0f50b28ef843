"""What a repository of the hub has: its models, each one GGUF file or several parts."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from localpower.elsewhere import hub_name, spell_size
from localpower.errors import ModelError, UserError
from localpower.hub.address import host

_PART = re.compile(r"(?P<stem>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf")
_ADDRESS = re.compile(r"(?:hub:|(?:https?://)?(?:huggingface\.co|hf\.co)/)")


@dataclass(frozen=True, slots=True)
class Part:
    """A file. size: bytes. digest: the hub's checksum; sha256 of what it stores apart, git's sha1 of small files."""

    file: str
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class HubModel:
    """A model of a repository at a commit. parts: in their order, mostly one."""

    repo: str
    commit: str
    parts: tuple[Part, ...]

    @property
    def file(self) -> str:
        """The part that is opened."""
        return self.parts[0].file

    @property
    def name(self) -> str:
        """What -m calls it."""
        return hub_name(self.repo, self.file)

    @property
    def size(self) -> int:
        """Bytes, all parts together."""
        return sum(part.size for part in self.parts)


@dataclass
class Progress:
    """Who hears how far it is. began: (file, bytes there, of how many). came: bytes there. said: what is going on.

    note: what must be known before it starts.
    """

    began: Callable[[str, int, int], None] = lambda *_: None
    came: Callable[[int], None] = lambda _: None
    said: Callable[[str], None] = lambda _: None
    note: Callable[[str], None] = lambda _: None
    pause: Callable[[float], None] = time.sleep


class Several(ModelError):
    """A repository has several models and none was named."""

    def __init__(self, repo: str, models: Sequence[HubModel]) -> None:
        files = [f"{model.file} ({spell_size(model.size)})" for model in models]
        super().__init__(
            f"{repo} has {len(files)} models", f"name one: localpower models pull {repo}/{models[0].file}"
        )
        self.files = files


def parsed(text: str) -> tuple[str, str]:
    """Repository, and file or empty, of OWNER/REPO, OWNER/REPO/FILE, OWNER/REPO:TAG or an address on the hub.

    Raises ModelError.
    """
    rest = _ADDRESS.sub("", text, count=1).split("?")[0].strip("/")
    owner, _, rest = rest.partition("/")
    repo, _, file = rest.partition("/")
    repo, colon, tag = repo.partition(":")
    file = re.sub(r"^(?:blob|resolve|tree)/[^/]+/?", "", file)
    if not owner or not repo or (colon and file):
        raise ModelError(
            f"{text} is no model of the hub",
            "it is a name that `localpower models list` shows, OWNER/REPO or OWNER/REPO/FILE",
        )
    return f"{owner}/{repo}", file or tag


def models_of(repo: str) -> list[HubModel]:
    """Its models by their names. Raises UserError."""
    host()  # an address that is none is told first

    from huggingface_hub.errors import HFValidationError

    from localpower.hub.client import CONNECT_S, api, told

    with told(repo):
        try:
            info = api().model_info(repo, files_metadata=True, timeout=CONNECT_S)
            commit = str(info.sha)
            parts = [
                Part(
                    each.rfilename,
                    int(each.size or 0),
                    str(each.lfs.sha256 if each.lfs else each.blob_id),
                )
                for each in info.siblings or ()
                if each.rfilename.lower().endswith(".gguf") and "mmproj" not in each.rfilename.lower()
            ]
        except HFValidationError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError):
            raise UserError(
                f"{host()} does not answer as a model hub does", "is a proxy in between?"
            ) from None
    if not re.fullmatch(r"[0-9a-f]{40}", commit):
        raise ModelError(f"the hub does not say which commit of {repo} it has")
    for part in parts:
        if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", part.digest):
            raise ModelError(f"the hub has no checksum of {part.file}", "it cannot be fetched safely")
        if part.file.startswith("/") or ".." in part.file.split("/") or "\\" in part.file:
            raise ModelError(f"{repo} has a file with a name that leads elsewhere: {part.file}")
    return sorted((HubModel(repo, commit, group) for group in _grouped(parts)), key=lambda each: each.name)


def _grouped(parts: Sequence[Part]) -> list[tuple[Part, ...]]:
    """Parts of one model together. One of which a part is missing is left out."""
    alone: list[tuple[Part, ...]] = []
    split: dict[tuple[str, int], dict[int, Part]] = {}
    for part in parts:
        found = _PART.fullmatch(part.file)
        if found is None:
            alone.append((part,))
        else:
            split.setdefault((found["stem"], int(found["count"])), {})[int(found["number"])] = part
    whole = [
        tuple(numbered[i] for i in sorted(numbered))
        for (_, count), numbered in split.items()
        if sorted(numbered) == list(range(1, count + 1))
    ]
    return [*alone, *whole]


def chosen(repo: str, file: str, models: Sequence[HubModel]) -> HubModel:
    """The model that a file's name, a part of it such as Q4_K_M, or nothing names. Raises ModelError."""
    if not models:
        raise ModelError(f"{repo} has no GGUF file", "look for a repository of the same name with -GGUF")
    named = [model for model in models if _is(model, file)] if file else list(models)
    if not named and "/" not in file:
        tag = file.lower()
        named = [
            model
            for model in models
            if re.search(rf"(?<![a-z0-9]){re.escape(tag)}(?![a-z0-9_])", model.file.lower())
        ]
    if not named:
        raise ModelError(f"{repo} has no file {file}", f"localpower models pull {repo} lists them")
    if len(named) > 1:
        raise Several(repo, named)
    return named[0]


def _is(model: HubModel, file: str) -> bool:
    """By its whole path, with or without ending, or by any of its parts."""
    names = {part.file for part in model.parts} | {model.name.split("/", 2)[2]}
    return file in names or f"{file}.gguf" in names
