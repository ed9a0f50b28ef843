"""A call that a model wrote, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from localpower.tools.environment import Json


@dataclass(frozen=True, slots=True)
class Call:
    """A call that could be read. Whether there is such a tool, and whether the arguments fit, the executor says."""

    name: str
    arguments: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class BadCall:
    """A call that could not be read. text: as the model wrote it, shortened; problem: what is wrong, for the model."""

    text: str
    problem: str


@dataclass(frozen=True, slots=True)
class Observation:
    """What a call gave.

    text: valid Unicode, of limited length, never empty of meaning: an error is told in it. ok: the tool answered.
    executed: the environment was called, whatever came of it. seconds: spent outside the model.
    """

    text: str
    ok: bool
    executed: bool
    seconds: float = 0.0
