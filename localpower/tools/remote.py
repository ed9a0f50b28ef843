"""Environments of files and packages, from this side: a handle to one that lives in another process (served.py)."""

from __future__ import annotations

import copy
import itertools
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from localpower.errors import Interrupted
from localpower.subprocesses import Died, Failed, Late, Worker
from localpower.tools.environment import Json, Tool

_START_SECONDS = 60.0  # of an import


class ToolRaised(Exception):
    """What a tool raised, as its process told it: `NAME: message`."""

    def __str__(self) -> str:
        return str(self.args[0])


class _Host:
    """The process. It is started when it is needed; what lived in one that ended lives no more."""

    def __init__(self, source: Mapping[str, str], seconds: float, stop: Callable[[], bool]) -> None:
        self.source, self.seconds, self._stop = dict(source), seconds, stop
        self._worker = Worker("localpower.tools.served")
        self.numbers, self.life = itertools.count(), 0
        self.dropped: list[int] = []  # one list for good: `finalize` of every copy appends to it
        self.n_replayed = 0
        weakref.finalize(self, self._worker.close)

    def ask(self, seconds: float, **request: Any) -> Any:
        """One step. Raises UserError, TimeoutError and ToolRaised; where the process has ended, `life` is another."""
        request["drop"] = list(self.dropped)
        self.dropped.clear()
        try:
            return self._worker.ask(request, seconds, self._stop)
        except Late:
            self.life += 1
            raise TimeoutError(f"the tool took longer than {seconds:g} s and was stopped") from None
        except Died as death:
            self.life += 1
            by = f", by signal {death.signal}" if death.signal else ""
            raise ToolRaised(f"the tool ended its process{by}") from None
        except (KeyboardInterrupt, Interrupted):
            self.life += 1
            raise
        except Failed as error:  # served.py itself
            raise ToolRaised(str(error)) from None

    def close(self) -> None:
        """End the process."""
        self.life += 1
        self._worker.close()


class Remote:
    """An environment of a file or a package. seconds: that a call may take; it is stopped then.

    After a call that was stopped or ended the process, every copy is made again from its seed and its calls, without
    the one that failed. stop: asked while a call runs; true raises Interrupted.
    """

    def __init__(
        self,
        source: Mapping[str, str],
        seconds: float = 10.0,
        stop: Callable[[], bool] = lambda: False,
        _of: Remote | None = None,
    ) -> None:
        """Raises UserError for a source that offers no environment."""
        self._host: _Host = _Host(source, seconds, stop) if _of is None else _of._host
        self._number: int = next(self._host.numbers)
        self._life: int = self._host.life if _of is None else -1
        self._seed: int = 0 if _of is None else _of._seed
        self._steps: list[dict[str, Json]] = [] if _of is None else list(_of._steps)
        self._about: dict[str, Any] = self._made() if _of is None else _of._about
        if self._about["reseed"]:
            self.reseed = self._reseed
        weakref.finalize(self, self._host.dropped.append, self._number)

    @property
    def deterministic(self) -> bool:
        """As the source says."""
        return bool(self._about["deterministic"])

    @property
    def tools(self) -> Sequence[Tool]:
        """As the source says."""
        return tuple(Tool(*tool) for tool in self._about["tools"])

    @property
    def n_replayed(self) -> int:
        """Calls made again so far, of all copies."""
        return self._host.n_replayed

    def reset(self, seed: int) -> None:
        """As the environment's. Raises what it raises."""
        self._seed, self._steps = seed, []
        _raise(self._there(step="reset", seed=seed))

    def call(self, name: str, arguments: Mapping[str, Json]) -> str:
        """As the environment's. Raises ToolRaised and TimeoutError."""
        step: dict[str, Json] = {"step": "call", "name": name, "arguments": copy.deepcopy(arguments)}
        told = self._there(**step)
        self._steps.append(step)
        _raise(told)
        return str(told["printed"] if told["gave"] is None and told["printed"] else told["gave"] or "")

    def _reseed(self, seed: int) -> None:
        """The chance of the calls that follow, where the environment has that."""
        step: dict[str, Json] = {"step": "reseed", "seed": seed}
        told = self._there(**step)
        self._steps.append(step)
        _raise(told)

    def fork(self) -> Remote:
        """A copy there; where none can be made, a new one after the same calls."""
        other = Remote({}, _of=self)
        self._alive()
        if self._host.ask(self._host.seconds, step="fork", id=self._number, copy=other._number):
            other._life = self._host.life
        return other

    def state(self) -> Json:
        """As the environment's."""
        found: Json = self._there(step="state").get("gave")
        return found

    def check(self) -> bool | None:
        """As the environment's; None where it raises."""
        found = self._there(step="check").get("gave")
        return found if isinstance(found, bool) else None

    def close(self) -> None:
        """End the process of all copies; a later call starts one again."""
        self._host.close()

    def _there(self, **request: Any) -> Any:
        self._alive()
        return self._host.ask(self._host.seconds, id=self._number, **request)

    def _made(self) -> Any:
        return self._host.ask(_START_SECONDS, step="new", id=self._number, source=self._host.source)

    def _alive(self) -> None:
        """Make it again where its process has ended, or where it never was."""
        if self._life == self._host.life:
            return
        self._life = self._host.life
        self._made()
        steps: list[dict[str, Any]] = [{"step": "reset", "seed": self._seed}, *self._steps]
        for step in steps:
            self._host.n_replayed += step["step"] == "call"
            self._host.ask(self._host.seconds, id=self._number, **step)


def _raise(told: Mapping[str, Any]) -> None:
    """What the other process says that was raised there, if anything."""
    if "raised" in told:
        if told["exit"]:
            raise ToolRaised("the tool tried to end the process")
        raise ToolRaised(f"{told['raised']}: {told['said']}".rstrip(": "))
