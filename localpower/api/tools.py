"""Which tools there are, and what those of a name or file are."""

from __future__ import annotations

from dataclasses import dataclass

from localpower.tools.environment import Tool
from localpower.tools.names import GROUP, SHIPPED, entries, open_tools


@dataclass(frozen=True, slots=True)
class Described:
    """deterministic: equal calls in equal states give equal texts."""

    tools: tuple[Tool, ...]
    deterministic: bool


def listed() -> dict[str, str]:
    """Every environment by name, with a few words: ours, and those of packages, which are not imported for that."""
    ours = {name: one.about for name, one in SHIPPED.items()}
    return ours | {
        name: f"from {entry.dist.name if entry.dist else 'a package'} ({GROUP})"
        for name, entry in entries().items()
    }


def described(name: str) -> Described:
    """The tools of a name or a file FILE.py, which is imported for that. Raises UserError."""
    found = open_tools([name], run_code=True)  # they are told, not called
    try:
        return Described(tuple(found.tools), found.deterministic)
    finally:
        getattr(found, "close", lambda: None)()
