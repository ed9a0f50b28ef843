"""A call that a model wrote, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localpower.tools.environment import Json


@dataclass(frozen=True, slots=True)
class Call:
    """A call that could be read. Whether there is such a tool, and whether the arguments fit, `executor.resolve` says.

    name: "" for the only tool that there is. bare: the text of the only argument, where a format writes no names of
    arguments; `arguments` is empty then. texts: its arguments are texts as the model wrote them, and what they stand
    for is for the tool's schema to tell.
    """

    name: str
    arguments: Mapping[str, Json]
    bare: str | None = None
    texts: bool = False


@dataclass(frozen=True, slots=True)
class BadCall:
    """A call that cannot be made. text: as the model wrote it, shortened; problem: what is wrong, told to the model."""

    text: str
    problem: str


@dataclass(frozen=True, slots=True)
class Observation:
    """What a call gave.

    text: valid Unicode of limited length, never empty; an error is told in it. ok: the tool answered. executed: the
    environment was called, whatever came of it. seconds: spent outside the model.
    """

    text: str
    ok: bool
    executed: bool
    seconds: float = 0.0


def is_json(value: Any) -> bool:
    """Whether a value can be written as JSON: valid Unicode and finite numbers (1e999 is read as infinity)."""
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, TypeError, RecursionError):
        return False
    return True
