"""The keys that a server asks for: never on a command line, where every user of a machine can read them."""

from __future__ import annotations

import os
from pathlib import Path

from localpower import inputs
from localpower.errors import UserError

VARIABLE = "LOCALPOWER_API_KEY"


def keys(path: Path | None) -> tuple[str, ...]:
    """Those of a file, one a line, and that of the environment. Raises UserError for a file without any."""
    found = [own] if (own := os.environ.get(VARIABLE, "").strip()) else []
    if path is not None:
        lines = [line.strip() for line in inputs.text(inputs.read(path), str(path)).splitlines()]
        of_file = [line for line in lines if line and not line.startswith("#")]
        if not of_file:
            raise UserError(f"{path} holds no key", "write one on a line")
        found += of_file
    return tuple(found)
