"""The methods by name: ours, those of other packages, those of this process; and how a text names one with settings.

A package adds its own by an entry point in the group `localpower.methods` that names a subclass of `Method`, a program
by `register`. Nothing here imports numpy: help pages list methods without it.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module, metadata
from typing import Any

from localpower.errors import UsageProblem
from localpower.methods import Method

_CLASSES = {
    "power": "localpower.samplers.mh:Power",
    "base": "localpower.samplers.ancestral:Base",
    "low-temp": "localpower.samplers.ancestral:LowTemperature",
    "best-of-n": "localpower.samplers.best_of_n:BestOfN",
    "smc": "localpower.samplers.smc:SMC",
    "lookahead": "localpower.samplers.lookahead:Lookahead",
    "project": "localpower.samplers.project:Project",
}
_GONE = {"tempering": "use --method power:start=smc:4, or power with --temperature 1"}
_GROUP = "localpower.methods"
_registered: dict[str, type[Method]] = {}


def register(method: type[Method]) -> None:
    """Add a method to this process. Raises ValueError for a name that is taken, TypeError for what is no method."""
    if not (isinstance(method, type) and issubclass(method, Method) and hasattr(method, "name")):
        raise TypeError(f"a method is a subclass of Method with a name and a guarantee, got {method!r}")
    if method.name in names():
        raise ValueError(f"there is a method called {method.name}")
    _registered[method.name] = method


def unregister(name: str) -> None:
    """Take back what `register` did."""
    del _registered[name]


def names() -> tuple[str, ...]:
    """All methods: the built-in ones, those of other packages, those registered."""
    return tuple(dict.fromkeys((*_CLASSES, *_entries(), *_registered)))


def find(name: str) -> type[Method]:
    """The method called so. Raises UsageProblem where there is none, or another package's cannot be loaded."""
    if name in _registered:
        return _registered[name]
    if name in _CLASSES:
        module, _, own = _CLASSES[name].partition(":")
        found: type[Method] = getattr(import_module(module), own)
        return found
    if name not in _entries():
        if name in _GONE:
            raise UsageProblem(f"--method {name} is gone: {_GONE[name]}", "docs/samplers.md shows why")
        raise UsageProblem(f"--method {name!r} is none of {', '.join(names())}")
    try:
        method = _entries()[name].load()
    except Exception as error:
        raise UsageProblem(f"--method {name}: its package cannot be loaded: {error}") from error
    if not (isinstance(method, type) and issubclass(method, Method)):
        raise UsageProblem(f"--method {name}: its package gives {method!r}, no subclass of localpower.Method")
    return method


@cache
def _entries() -> dict[str, metadata.EntryPoint]:
    return {entry.name: entry for entry in metadata.entry_points(group=_GROUP) if entry.name not in _CLASSES}


def split(text: str) -> tuple[type[Method], dict[str, str]]:
    """`NAME:SETTING=VALUE:...` as the method and the settings' texts. Raises UsageProblem.

    A part without = belongs to the value before it: power:start=smc:4.
    """
    name, *parts = text.split(":")
    method, found = find(name), dict[str, str]()
    for part in parts:
        key, equals, value = part.partition("=")
        if not equals and found:
            last = next(reversed(found))
            found[last] += f":{part}"
        elif not equals or not key:
            raise UsageProblem(f"--method {text}: expected SETTING=VALUE after {name}, got {part!r}")
        elif key.replace("-", "_") in found:
            raise UsageProblem(f"--method {text}: {key} is given twice")
        else:
            found[key.replace("-", "_")] = value
    return method, found


def parse(text: str, **everyday: Any) -> Method:
    """The method that `NAME:SETTING=VALUE:...` writes; everyday: settings beside it, which the text goes before.

    Those that the method does not have are left out. Raises UsageProblem.
    """
    method, texts = split(text)
    beside = {key: value for key, value in everyday.items() if method.option(key) and value is not None}
    return method.of(beside | texts)
