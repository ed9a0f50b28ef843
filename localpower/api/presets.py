"""Presets: settings under a name. Two are built in; the user's own stand in the configuration file.

The figures behind the two that are built in are in docs/samplers.md (the sweep over the laboratory's model).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localpower.api.config import PRESETS, content, path
from localpower.errors import UsageProblem, UserError
from localpower.methods import EVERYDAY
from localpower.registry import split

NO_PRESET = "none"  # the name that takes a preset of the configuration away


@dataclass(frozen=True, slots=True)
class Preset:
    """settings: by key, as config.toml has them. source: the file, or "built in"."""

    name: str
    settings: Mapping[str, Any]
    source: str
    words: str = ""


BUILT_IN = {
    "quick": Preset(
        "quick", {"steps": 3}, "built in", "fewer steps than by default: an answer is there sooner"
    ),
    "careful": Preset(
        "careful", {"steps": 20}, "built in", "more steps: nearer to p^alpha, at about twice the cost"
    ),
}


def presets() -> dict[str, Preset]:
    """All by name; the user's own go before those that are built in. Raises UserError for a damaged file."""
    own = content().get(PRESETS, {})
    return BUILT_IN | {name: Preset(name, settings, str(path())) for name, settings in own.items()}


def preset(name: str) -> Preset:
    """Raises UserError for one that is not there, or whose settings contradict its method."""
    known = presets()
    found = known.get(name)
    if found is None:
        raise UsageProblem(
            f"there is no preset {name!r}; presets: {', '.join(known)}",
            f"[{PRESETS}.NAME] in {path() or 'config.toml'} makes one",
        )
    if "method" in found.settings:
        try:
            method, _ = split(str(found.settings["method"]))
        except UsageProblem as error:
            raise UserError(f"the preset {name} ({found.source}): {error.message}", error.hint) from None
        for key in EVERYDAY:
            if key in found.settings and method.option(key) is None:
                raise UserError(
                    f"the preset {name} ({found.source}) sets {key}, which its method {method.name} does not have"
                )
    return found
