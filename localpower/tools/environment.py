"""The contract of an environment.

An environment answers calls with text. Its state is what `reset(seed)` and the calls since have made of it, so that a
trace that is cut can be continued from any of its turns, either on a copy or after the calls have been made again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self, TypeAlias, runtime_checkable

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
_NO_PARAMETERS: Mapping[str, Json] = {"type": "object", "properties": {}, "required": []}


@dataclass(frozen=True, slots=True)
class Tool:
    """parameters: the JSON schema of the object of arguments: type object, properties, required."""

    name: str
    description: str = ""
    parameters: Mapping[str, Json] = field(default_factory=lambda: _NO_PARAMETERS)

    @property
    def schema(self) -> dict[str, Json]:
        """As chat templates and trainers take it: type function, function {name, description, parameters}."""
        function: dict[str, Json] = {
            "name": self.name,
            "description": self.description,
            "parameters": self.parameters,
        }
        return {"type": "function", "function": function}


@runtime_checkable
class Environment(Protocol):
    """deterministic: after an equal state, an equal call gives an equal text and an equal next state.

    One that is not may have `reseed(seed)` as well: the chance of the calls that follow, for --fresh-environment.
    """

    @property
    def deterministic(self) -> bool:
        """As above; an attribute of the class will do."""

    @property
    def tools(self) -> Sequence[Tool]:
        """What can be called; the same at any time."""

    def reset(self, seed: int) -> None:
        """Back to the beginning, all randomness from the seed."""

    def call(self, name: str, arguments: Mapping[str, Json]) -> str:
        """The text that a tool answers. It may raise anything: `executor.execute` makes an observation of it."""

    def fork(self) -> Environment:
        """A copy of its own: calls of one do not change the other."""

    def state(self) -> Json:
        """What the calls have changed, as JSON; None where nothing can."""

    def check(self) -> bool | None:
        """Whether the task is fulfilled in the present state; None: the environment has no opinion."""


class Stateless:
    """An environment whose calls change nothing. A subclass adds `tools` and `call`."""

    deterministic = True

    def reset(self, seed: int) -> None:
        """Nothing to do."""

    def fork(self) -> Self:
        """Itself: there is no state that a call could change."""
        return self

    def state(self) -> Json:
        """None."""
        return None

    def check(self) -> bool | None:
        """None."""
        return None


def environment_seed(problem: str) -> int:
    """The seed that a problem's environment is reset with: one for all methods, samples and steps of a chain."""
    return int.from_bytes(hashlib.sha256(problem.encode("utf-8", "surrogatepass")).digest()[:8], "little")
