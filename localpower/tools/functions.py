"""Python functions as tools: a public function with type hints and a docstring is one."""

from __future__ import annotations

import copy
import inspect
import random
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from localpower.errors import UserError
from localpower.tools.environment import Environment, Json, Tool
from localpower.tools.hints import NoSchema, as_hinted, parameters_of, summary_of

_KEPT = (bool, int, float, complex, str, bytes, list, dict, set, tuple, bytearray)  # globals that are watched


class Functions:
    """Tools that keep no state. `random` is seeded anew for each call, from the environment's seed and its number.

    globals_of: a module whose plain global variables no call may change: a call that does is undone and told, for a
    copy of the environment would see what the other one did. deterministic: as the author says.
    """

    def __init__(
        self,
        functions: Sequence[Callable[..., Any]],
        where: str = "",
        globals_of: ModuleType | None = None,
        *,
        deterministic: bool = False,
    ) -> None:
        """Raises UserError, beginning with `where`, for a function that cannot be a tool."""
        self.deterministic = deterministic
        self._functions: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {}
        tools: list[Tool] = []
        for function in functions:
            tool, hints = _tool_of(function, where)
            if tool.name in self._functions:
                raise UserError(f"{where}two tools are called {tool.name}")
            self._functions[tool.name] = (function, hints)
            tools.append(tool)
        self._tools = tuple(tools)
        self._module = globals_of
        self._globals = _globals(globals_of)
        self._seed, self._n = 0, 0
        if not deterministic:
            self.reseed = self._reseed

    @property
    def tools(self) -> Sequence[Tool]:
        """One for each function."""
        return self._tools

    def reset(self, seed: int) -> None:
        """No call has been made."""
        self._seed, self._n = seed, 0

    def _reseed(self, seed: int) -> None:
        """The chance of the calls that follow."""
        self._seed = seed

    def call(self, name: str, arguments: Mapping[str, Json]) -> str:
        """What the function returns. It raises what the function raises, and ValueError for a changed global."""
        function, hints = self._functions[name]
        random.seed(f"{self._seed}/{self._n}")
        self._n += 1
        try:
            given = function(**{key: as_hinted(value, hints.get(key)) for key, value in arguments.items()})
        finally:
            changed = self._restore()
        if changed:
            raise ValueError(f"the tool changed the global variable {changed}: only a class may keep state")
        return given  # type: ignore[no-any-return]  # the executor makes a text of anything

    def fork(self) -> Functions:
        """A copy; the functions are the same."""
        other = copy.copy(self)
        if not self.deterministic:
            other.reseed = other._reseed  # bound to the copy
        return other

    def state(self) -> Json:
        """The number of calls, where it matters."""
        return None if self.deterministic else {"calls": self._n}

    def check(self) -> bool | None:
        """No opinion."""
        return None

    def _restore(self) -> str:
        """Global variables as they were; the name of one that was changed."""
        changed = ""
        for name, value in _globals(self._module).items():
            if name not in self._globals or _differs(value, self._globals[name]):
                changed = name
        if changed and self._module is not None:
            vars(self._module).update(copy.deepcopy(self._globals))
        return changed


def environments_in(module: ModuleType, where: str) -> list[Environment]:
    """What a module offers: its public functions as one environment, and each of its classes that is one.

    Only what is defined in it counts, not what it imports. Raises UserError for what cannot be a tool.
    """
    own = [
        value
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]
    functions = [value for value in own if inspect.isfunction(value)]
    found: list[Environment] = []
    if functions:
        sure = getattr(module, "deterministic", False) is True
        found.append(Functions(functions, where, module, deterministic=sure))
    for value in own:
        if isinstance(value, type) and all(hasattr(value, name) for name in ("reset", "call", "tools")):
            try:
                made = value()
            except Exception as error:
                raise UserError(f"{where}{value.__name__}() fails: {error}") from None
            if not isinstance(made, Environment):
                missing = [name for name in _CONTRACT if not hasattr(made, name)]
                raise UserError(f"{where}{value.__name__} is no environment: it has no {', '.join(missing)}")
            found.append(made)
    if not found:
        raise UserError(f"{where}there is no public function and no environment in it")
    return found


_CONTRACT = ("deterministic", "tools", "reset", "call", "fork", "state", "check")


def _tool_of(function: Callable[..., Any], where: str) -> tuple[Tool, dict[str, Any]]:
    name = getattr(function, "__name__", repr(function))
    doc = inspect.getdoc(function)
    hint = "a name that begins with _ is no tool"
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise UserError(f"{where}{name} is asynchronous, which no tool can be", hint)
    if not doc or not doc.strip():
        raise UserError(f"{where}{name} has no docstring to tell the model what it does", hint)
    try:
        parameters, hints = parameters_of(function, name)
    except (NoSchema, ValueError) as odd:
        raise UserError(f"{where}{odd}", hint) from None
    return Tool(name, summary_of(doc), parameters), hints


def _globals(module: ModuleType | None) -> dict[str, Any]:
    """Copies of the plain variables of a module."""
    if module is None:
        return {}
    found = {n: v for n, v in vars(module).items() if isinstance(v, _KEPT) and not n.startswith("__")}
    try:
        return copy.deepcopy(found)
    except Exception:  # a list of locks, say: what cannot be copied cannot be watched
        return {}


def _differs(one: Any, other: Any) -> bool:
    try:
        return bool(one != other)
    except Exception:
        return True
