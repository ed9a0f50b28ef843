"""Several environments as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from localpower.errors import UserError
from localpower.tools.environment import Environment, Json, Tool


class Combined:
    """The tools of all, each with its own state. It is fulfilled when every part that has an opinion is."""

    def __init__(self, parts: Mapping[str, Environment], where: str = "") -> None:
        """Raises UserError for two tools of one name."""
        self._parts = dict(parts)
        chancy = [part for part in self._parts.values() if not part.deterministic]
        if chancy and all(hasattr(part, "reseed") for part in chancy):
            self.reseed = self._reseed
        self._home: dict[str, str] = {}
        for name, part in self._parts.items():
            for tool in part.tools:
                if (other := self._home.get(tool.name)) is not None:
                    of = f", one of {other} and one of {name}" if other != name and not where else ""
                    raise UserError(f"{where}two tools are called {tool.name}{of}")
                self._home[tool.name] = name

    @property
    def deterministic(self) -> bool:
        """Whether all are."""
        return all(part.deterministic for part in self._parts.values())

    @property
    def tools(self) -> Sequence[Tool]:
        """In the order of the parts."""
        return [tool for part in self._parts.values() for tool in part.tools]

    def reset(self, seed: int) -> None:
        """All, with the same seed."""
        for part in self._parts.values():
            part.reset(seed)

    def call(self, name: str, arguments: Mapping[str, Json]) -> str:
        """Of the part whose tool it is."""
        return self._parts[self._home[name]].call(name, arguments)

    def _reseed(self, seed: int) -> None:
        for part in self._parts.values():
            if not part.deterministic:
                part.reseed(seed)  # type: ignore[attr-defined]  # all of them have it

    def fork(self) -> Combined:
        """A copy of each."""
        return Combined({name: part.fork() for name, part in self._parts.items()})

    def state(self) -> Json:
        """By name of the part; None where no part has one."""
        states = {name: part.state() for name, part in self._parts.items()}
        return states if any(state is not None for state in states.values()) else None

    def check(self) -> bool | None:
        """Whether all that have an opinion are fulfilled."""
        said = [part.check() for part in self._parts.values()]
        return None if all(each is None for each in said) else all(each is not False for each in said)


def combined(parts: Mapping[str, Environment], where: str = "") -> Environment:
    """All parts as one; a part alone stays what it is. Raises UserError for two tools of one name."""
    whole = Combined(parts, where)
    if len(parts) > 1:
        return whole
    return next(iter(parts.values()))
