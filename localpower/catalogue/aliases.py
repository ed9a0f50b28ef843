"""Names that a user gave to models: the section [aliases] of the configuration file."""

from __future__ import annotations

import re

from localpower import userfile
from localpower.errors import ModelError

SECTION = "aliases"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
_LONGEST = 16  # steps from an alias to a model


def aliases() -> dict[str, str]:
    """What each stands for, by name. Raises UserError for a file that cannot be read."""
    said = userfile.read().get(SECTION, {})
    return {str(name): str(target) for name, target in said.items()} if isinstance(said, dict) else {}


def target_of(name: str) -> str | None:
    """The model that an alias (any case) stands for, through others if need be; None: it is no alias.

    Raises ModelError for one that leads back to itself.
    """
    known = {alias.lower(): target for alias, target in aliases().items()}
    target = known.get(name.lower())
    for _ in range(_LONGEST):
        if target is None or target.lower() not in known:
            return target
        target = known[target.lower()]
    raise ModelError(
        f"the alias {name} leads back to itself", "localpower models alias --remove takes one out"
    )


def is_name(name: str) -> bool:
    """Whether an alias may be called so: like a word, so that it is neither a path nor another program's model."""
    return bool(_NAME.fullmatch(name)) and not name.lower().endswith(".gguf")
