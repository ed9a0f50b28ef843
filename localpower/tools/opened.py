"""An environment that is opened once and copied for each problem."""

from __future__ import annotations

from collections.abc import Sequence

from localpower.tools.environment import Environment
from localpower.tools.names import open_tools


class Opened:
    """names: as `open_tools`; whoever asks for the first copy must have been allowed to run code, where it runs any."""

    def __init__(self, names: Sequence[str], seconds: float = 10.0) -> None:
        self._names, self._seconds = tuple(names), seconds
        self._origin: Environment | None = None

    def of(self, _problem: object) -> Environment:
        """A copy. Raises UserError for tools that cannot be opened."""
        if self._origin is None:
            self._origin = open_tools(self._names, run_code=True, seconds=self._seconds)
        return self._origin.fork()
