"""What a method of sampling is to everybody else: a frozen value of settings, and the sampler that it makes.

`Power(alpha=4, steps=20)` in Python and `power:alpha=4:steps=20` on the command line are the same value: every setting
is a field with a default, bounds and one sentence of help, and a text is read as its value is. Each method is one class
at the end of its one file in `samplers/`; the list of names below is the only other place that knows it. A package adds
its own by an entry point in the group `localpower.methods` that names a subclass of `Method`, a program by `register`.
Nothing here imports numpy: help pages list methods without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, NoReturn, Self

from localpower.errors import UsageProblem
from localpower.readers import BUDGET, MOST_ALPHA, Reader, number, whole

if TYPE_CHECKING:
    from localpower.chance import Dice
    from localpower.completion import Rules
    from localpower.events import Event
    from localpower.model import Model, Tokens
    from localpower.samplers.base import Guarantee, Sampler

_CLASSES = {
    "power": "localpower.samplers.mh:Power",
    "base": "localpower.samplers.ancestral:Base",
    "low-temp": "localpower.samplers.ancestral:LowTemperature",
    "best-of-n": "localpower.samplers.best_of_n:BestOfN",
    "smc": "localpower.samplers.smc:SMC",
    "lookahead": "localpower.samplers.lookahead:Lookahead",
}
_GONE = {"tempering": "use --method power:start=smc:4, or power with --temperature 1"}
_GROUP = "localpower.methods"
_registered: dict[str, type[Method]] = {}


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
        return self.shown or ("none" if self.default is None else _text(self.default))


def setting(default: Any, reader: Reader, help: str, shown: str = "") -> Any:
    """A field of a method. help: one sentence. shown: the default in words, where its value does not say it."""
    return field(default=default, metadata={"setting": (reader, help, shown)})


def alpha_setting() -> Any:
    """The power of the target; None: the model's usual one."""
    return setting(None, number(1.0, MOST_ALPHA), "The power.", "2.5 with a chat template, 4 without")


def temperature_setting() -> Any:
    """The temperature of the proposal; None: 1/alpha."""
    return setting(None, number(0.0), "The temperature of the proposal.", "1/alpha")


def steps_setting() -> Any:
    """Steps of a chain at each horizon; None: its usual number, or as many as a budget has room for."""
    return setting(
        None, whole(0), "Steps of a chain at each horizon.", "5, or as many as budget has room for"
    )


EVERYDAY = ("alpha", "temperature", "steps")  # settings that commands have options for
_COMMON = (*EVERYDAY, "budget")


@dataclass(frozen=True, slots=True)
class Target:
    """What every method is asked for. alpha: the model's usual power. pick: as in `--pick`."""

    alpha: float
    max_tokens: int
    rules: Rules
    pick: str = "random"


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way to sample, with its settings. The first sentence of a subclass's docstring is what help pages say of it.

    budget: most that a run may take: seconds ("30s"), tokens drawn ("5000t") or plain answers ("4x"); None: no limit.
    A setting may be given as its value or as the text that the command line takes. Raises UsageProblem for a value that
    can never be right.
    """

    name: ClassVar[str]
    guarantee: ClassVar[Guarantee]  # of a run that completes, with the default settings
    budget: str | None = setting(None, BUDGET, "Most that a run may take.", "no limit")

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__repr__" not in cls.__dict__:  # dataclass would make one with every default
            cls.__repr__ = Method.__repr__  # type: ignore[method-assign]

    def __post_init__(self) -> None:
        """Read what was given as the command line would."""
        for option in self._all():
            value = getattr(self, option.key)
            if value is option.default:
                continue
            try:
                object.__setattr__(self, option.key, option.reader.read(_text(value)))
            except (ValueError, OverflowError):
                shown = repr(value) if isinstance(value, str) else value
                raise UsageProblem(
                    f"{option.name} of {self.name} must be {option.reader.expected}, got {shown}"
                ) from None

    def sampler(self, target: Target) -> Sampler:
        """The sampler of these settings. Raises UsageProblem for settings that contradict each other.

        A method either makes its own, or says by `run`, `width` and `expected_cost` how one run goes.
        """
        from localpower.samplers.simple import SimpleSampler

        return SimpleSampler(self, target)

    def run(self, model: Model, prompt: Tokens, dice: Dice, target: Target) -> Iterator[Event]:
        """One run; the last event is Finished. All chance comes from `dice`."""
        raise NotImplementedError(f"{type(self).__name__} has neither a sampler nor a run")

    def width(self) -> int:
        """Most contexts that one run asks for at a time."""
        return 1

    def expected_cost(self) -> float:
        """Tokens that one run is expected to draw, in plain answers."""
        return 1.0

    def notes(self) -> list[str]:
        """Settings that were given and do nothing."""
        return []

    def power(self, usual: float) -> float:
        """The alpha of the target that the answer is about; 1 of a method that has none. usual: the model's own."""
        if "alpha" not in self.uses():
            return 1.0
        own = getattr(self, "alpha", None)
        return usual if own is None else float(own)

    def proposal(self, usual: float) -> float:
        """Temperature of the proposal: as set, else 1/alpha. usual: as of `power`."""
        own = getattr(self, "temperature", None)
        return 1.0 / self.power(usual) if own is None else float(own)

    @classmethod
    def summary(cls) -> str:
        """One sentence."""
        return (cls.__doc__ or "").split("\n")[0]

    @classmethod
    def uses(cls) -> frozenset[str]:
        """The everyday settings that it has."""
        return frozenset(EVERYDAY) & {each.name for each in fields(cls)}

    @classmethod
    def options(cls) -> tuple[Option, ...]:
        """The settings that are its own."""
        return tuple(option for option in cls._all() if option.key not in _COMMON)

    @classmethod
    def option(cls, name: str) -> Option | None:
        """The setting that is called so, with - or _."""
        return next((option for option in cls._all() if option.key == name.replace("-", "_")), None)

    @classmethod
    def _all(cls) -> tuple[Option, ...]:
        return tuple(
            Option(each.name.replace("_", "-"), reader, each.default, help, shown)
            for each in fields(cls)
            for reader, help, shown in (each.metadata.get("setting") or _no_setting(cls, each.name),)
        )

    def given(self) -> dict[str, Any]:
        """The settings that are not at their defaults, by key."""
        return {o.key: getattr(self, o.key) for o in self._all() if getattr(self, o.key) != o.default}

    def having(self, **settings: Any) -> Self:
        """The same with other values of some settings. Raises UsageProblem as when it is made."""
        return self.of(self.given() | settings)

    def __str__(self) -> str:
        """As the command line writes it: power:alpha=4:steps=20."""
        parts = (f"{key.replace('_', '-')}={_text(value)}" for key, value in self.given().items())
        return ":".join((self.name, *parts))

    def __repr__(self) -> str:
        """As Python writes it, without what is at its default."""
        return (
            f"{type(self).__name__}({', '.join(f'{key}={value!r}' for key, value in self.given().items())})"
        )

    @classmethod
    def of(cls, texts: Mapping[str, Any]) -> Self:
        """From settings by key. Raises UsageProblem for a setting or a value that it does not have."""
        for key in texts:
            if cls.option(key) is None:
                own = ", ".join((*(option.name for option in cls.options()), *sorted(cls.uses())))
                has = f"it has {own}" if own else "it has no settings"
                raise UsageProblem(f"{cls.name} has no setting {key.replace('_', '-')!r}; {has}")
        return cls(**{key.replace("-", "_"): value for key, value in texts.items()})


def _no_setting(method: type[Method], name: str) -> NoReturn:
    raise TypeError(f"{method.__name__}.{name} is no setting: write {name} = setting(default, reader, help)")


def _text(value: Any) -> str:
    """A setting's value as the command line writes it."""
    if isinstance(value, bool):
        return ("no", "yes")[value]
    if isinstance(value, float):
        return repr(float(value)).removesuffix(".0")
    if type(value) in (tuple, list):  # a named tuple has a text of its own
        return ",".join(map(_text, value))
    return str(value)


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
