"""Makes a call, whatever it does, and tells what came of it in one observation."""

from __future__ import annotations

from dataclasses import dataclass

from localpower.tools.calls import BadCall, Call, Observation
from localpower.tools.environment import Environment


@dataclass(frozen=True, slots=True)
class Limits:
    """characters: of an observation's text; what is longer is cut, and the text says so."""

    characters: int = 2000


def execute(environment: Environment, call: Call | BadCall, limits: Limits = Limits()) -> Observation:
    """The observation of a call. Raises nothing but KeyboardInterrupt and localpower.errors.Interrupted.

    A call that could not be read, names no tool or has arguments that do not fit its schema is not executed.
    """
    raise NotImplementedError
