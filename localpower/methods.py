"""What a method of sampling is to everybody else: its name, settings and guarantee, and how a sampler is made of it.

Each method says so of itself, at the end of its one file in `samplers/`; the list of names below is the only other
place that knows it. A package adds its own by an entry point in the group `localpower.methods` that names a `Method`, a
program by `register`. Nothing here imports numpy: help pages list methods without it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any, NamedTuple

from localpower.errors import UsageProblem

if TYPE_CHECKING:
    from localpower.completion import Rules
    from localpower.samplers.base import Guarantee, Sampler

_MODULES = {
    "power": "localpower.samplers.mh",
    "base": "localpower.samplers.ancestral",
    "low-temp": "localpower.samplers.ancestral",
    "best-of-n": "localpower.samplers.best_of_n",
    "smc": "localpower.samplers.smc",
    "lookahead": "localpower.samplers.lookahead",
}
_GONE = {"tempering": "use --method power:start=smc:4, or power with --temperature 1"}
_GROUP = "localpower.methods"
_registered: dict[str, Method] = {}
MOST_RUNS = 61  # answers at once: four sequences each, of llama.cpp's 256


class Reader(NamedTuple):
    """How the text of a setting is read. expected: in words; read raises ValueError for anything else."""

    expected: str
    read: Callable[[str], Any]


def plain_number(text: str) -> str:
    """A number's text. Raises ValueError for digits of other scripts, spaces and underscores, which Python takes."""
    if not text.isascii() or "_" in text or text != text.strip():
        raise ValueError
    return text


def whole(low: int, high: int | None = None) -> Reader:
    """A whole number from low to high."""

    def read(text: str) -> int:
        value = int(plain_number(text))
        if not (low <= value <= (2**31 - 1 if high is None else high)):
            raise ValueError
        return value

    return Reader(f"a whole number {_span(low, high)}", read)


def number(low: float, high: float = math.inf, *, below: bool = False) -> Reader:
    """A finite number from low to high; below: high itself is not one."""

    def read(text: str) -> float:
        value = float(plain_number(text))
        if not (math.isfinite(value) and low <= value <= high) or (below and value >= high):
            raise ValueError
        return value

    span = f"of at least {low:g} and less than {high:g}" if below else _span(low, high)
    return Reader(f"a number {span}", read)


def _span(low: float, high: float | None) -> str:
    return f"from {low:g} to {high:g}" if high is not None and math.isfinite(high) else f"of at least {low:g}"


def choice(*words: str) -> Reader:
    """One of several words."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError
        return text

    return Reader(f"{', '.join(words[:-1])} or {words[-1]}", read)


def _yes(text: str) -> bool:
    if text.lower() not in _SWITCH:
        raise ValueError
    return _SWITCH[text.lower()]


_SWITCH = dict.fromkeys(("yes", "on", "true"), True) | dict.fromkeys(("no", "off", "false"), False)
SWITCH = Reader("yes or no", _yes)


class Option(NamedTuple):
    """A setting of a method. shown: its default in words, where the value does not say it."""

    name: str
    reader: Reader
    default: Any
    help: str
    shown: str = ""

    @property
    def key(self) -> str:
        """As a name in Python and JSON."""
        return self.name.replace("-", "_")

    @property
    def default_text(self) -> str:
        """The default as help pages show it."""
        if self.shown or self.default is None:
            return self.shown or "none"
        return ("no", "yes")[self.default] if isinstance(self.default, bool) else f"{self.default}"


@dataclass(frozen=True, slots=True)
class Target:
    """What every method is asked for. None: the method's own default. pick: as in `--pick`."""

    alpha: float
    max_tokens: int
    rules: Rules
    temperature: float | None = None
    steps: int | None = None
    pick: str = "random"

    @property
    def proposal(self) -> float:
        """Temperature of the proposal."""
        return 1.0 / self.alpha if self.temperature is None else self.temperature


@dataclass(frozen=True, slots=True)
class Method:
    """make(target, values): the sampler; values holds every option by its key. uses: options of commands that it reads.

    summary: one sentence. guarantee: of a run that completes, with the default settings.
    """

    name: str
    summary: str
    guarantee: Guarantee
    make: Callable[[Target, Mapping[str, Any]], Sampler]
    options: tuple[Option, ...] = ()
    uses: frozenset[str] = frozenset({"alpha", "temperature"})

    def option(self, name: str) -> Option | None:
        """The setting that is called so, with - or _."""
        return next((option for option in self.options if option.key == name.replace("-", "_")), None)

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All settings by key: those given, the others' defaults."""
        return {option.key: option.default for option in self.options} | dict(given)


def register(method: Method) -> None:
    """Add a method to this process. Raises ValueError for a name that is taken."""
    if method.name in names():
        raise ValueError(f"there is a method called {method.name}")
    _registered[method.name] = method


def unregister(name: str) -> None:
    """Take back what `register` did."""
    del _registered[name]


def names() -> tuple[str, ...]:
    """All methods: the built-in ones, those of other packages, those registered."""
    return tuple(dict.fromkeys((*_MODULES, *_entries(), *_registered)))


def find(name: str) -> Method:
    """The method called so. Raises UsageProblem where there is none, or another package's cannot be loaded."""
    if name in _registered:
        return _registered[name]
    if name in _MODULES:
        own: tuple[Method, ...] = import_module(_MODULES[name]).METHODS
        return next(method for method in own if method.name == name)
    if name not in _entries():
        if name in _GONE:
            raise UsageProblem(f"--method {name} is gone: {_GONE[name]}", "docs/samplers.md shows why")
        raise UsageProblem(f"--method {name!r} is none of {', '.join(names())}")
    try:
        method = _entries()[name].load()
    except Exception as error:
        raise UsageProblem(f"--method {name}: its package cannot be loaded: {error}") from error
    if not isinstance(method, Method):
        raise UsageProblem(f"--method {name}: its package gives {method!r}, no localpower.methods.Method")
    return method


@cache
def _entries() -> dict[str, metadata.EntryPoint]:
    return {entry.name: entry for entry in metadata.entry_points(group=_GROUP) if entry.name not in _MODULES}


def parse(text: str) -> tuple[Method, dict[str, str]]:
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


def read(method: Method, texts: Mapping[str, str]) -> dict[str, Any]:
    """The values of a method's own settings. Raises UsageProblem for a setting or a value that it does not have."""
    values = {}
    for key, text in texts.items():
        option = method.option(key)
        if option is None:
            own = ", ".join((*(option.name for option in method.options), *sorted(method.uses)))
            has = f"it has {own}" if own else "it has no settings"
            raise UsageProblem(f"{method.name} has no setting {key.replace('_', '-')!r}; {has}")
        try:
            values[option.key] = option.reader.read(text)
        except ValueError:
            raise UsageProblem(
                f"{option.name} of {method.name} must be {option.reader.expected}, got {text!r}"
            ) from None
    return values
