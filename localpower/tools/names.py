"""The environments by name: ours, those of other packages, files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from localpower import inputs
from localpower.errors import UsageProblem, UserError
from localpower.tools.environment import Environment

GROUP = "localpower.environments"  # of entry points: packages bring environments of their own


@dataclass(frozen=True, slots=True)
class Shipped:
    """An environment of ours. runs_code: it runs programs that the model writes."""

    home: str
    about: str
    runs_code: bool = False


SHIPPED = {
    "calculator": Shipped("calculator:Calculator", "arithmetic, exact, by the grader's parser"),
    "python": Shipped("python:Python", "programs in the grader's sandbox, with --run-code", runs_code=True),
    "notes": Shipped("notes:Notes", "notes by name, empty at first"),
    "sqlite": Shipped("sqlite:Sqlite", "a database in memory, empty at first"),
    "countdown-check": Shipped("countdown:CountdownCheck", "the value of an expression of whole numbers"),
}


@cache
def entries() -> dict[str, metadata.EntryPoint]:
    """Of other packages, by name."""
    return {entry.name: entry for entry in metadata.entry_points(group=GROUP) if entry.name not in SHIPPED}


def open_tools(
    names: Sequence[Any],
    *,
    run_code: bool = False,
    seconds: float = 10.0,
    stop: Callable[[], bool] = lambda: False,
) -> Environment:
    """One environment of all that were named: ours, of packages, files FILE.py; and functions and environments.

    Functions and environments that are given as objects run in this process, with no limit of time. seconds: that a
    call of any other may take. stop: asked while it runs; true raises Interrupted. Raises UserError and UsageProblem.
    """
    from localpower.tools.combined import combined
    from localpower.tools.functions import Functions

    parts: dict[str, Environment] = {}
    functions = []
    for name in names:
        if isinstance(name, str | Path):
            if str(name) in parts:
                raise UsageProblem(f"the tools {name} are named twice")
            parts[str(name)] = _opened(str(name), run_code, seconds, stop)
        elif isinstance(name, Environment):
            parts[f"{type(name).__name__}-{len(parts)}"] = name
        elif callable(name):
            functions.append(name)
        else:
            raise UsageProblem(f"{name!r} is no environment, function, name or file of tools")
    if functions:
        parts["functions"] = Functions(functions)
    if not parts:
        raise UsageProblem("there are no tools")
    return combined(parts)


def runs_code(name: str) -> bool:
    """Whether tools of this name run programs: the model's, or those of a file."""
    return name.endswith(".py") or (name in SHIPPED and SHIPPED[name].runs_code)


def _opened(name: str, run_code: bool, seconds: float, stop: Callable[[], bool]) -> Environment:
    from localpower.tools.remote import Remote, ToolRaised

    def elsewhere(source: dict[str, str]) -> Environment:
        try:
            return Remote(source, seconds, stop)
        except (TimeoutError, ToolRaised) as error:  # of the import
            said = str(error).replace("the tool", "its code")
            raise UserError(f"{name} cannot be opened: {said}") from None

    if name in SHIPPED:
        return _shipped(SHIPPED[name], name, run_code, seconds)
    if name.endswith(".py"):
        path = Path(name)
        inputs.text(inputs.read(path, "it should be a Python file of tools"), name)
        return elsewhere({"file": str(path.resolve())})
    if name in entries():
        return elsewhere({"entry": name})
    if name.startswith("bfcl:"):
        return elsewhere({"bfcl": name.partition(":")[2]})
    known = ", ".join([*SHIPPED, *entries()])
    raise UsageProblem(f"there are no tools {name!r}", f"tools: {known}, or a file FILE.py")


def _shipped(one: Shipped, name: str, run_code: bool, seconds: float) -> Environment:
    if one.runs_code and not run_code:
        raise UserError(
            f"the tools {name} run programs that the model writes", "say --run-code if you want that"
        )
    module, _, own = one.home.partition(":")
    kind = getattr(import_module(f"localpower.tools.{module}"), own)
    made: Environment = kind(seconds) if one.runs_code else kind()
    return made
