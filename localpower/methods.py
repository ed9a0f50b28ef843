"""What a method of sampling is to everybody else: a frozen value of settings, and the sampler that it makes.

`Power(alpha=4, steps=20)` in Python and `power:alpha=4:steps=20` on the command line are the same value: every setting
is a field with a default, bounds and one sentence of help, and a text is read as its value is. Each method is one class
at the end of its one file in `samplers/`; the list of names in `registry.py` is the only other place that knows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, NoReturn, Self

from localpower.errors import UsageProblem
from localpower.readers import BUDGET, MOST_ALPHA, Reader, number, whole

if TYPE_CHECKING:
    from localpower.chance import Dice
    from localpower.completion import Rules
    from localpower.events import Event
    from localpower.model import Model, Tokens
    from localpower.samplers.base import Guarantee, Sampler


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
class Expert:
    """What a problem has besides its prompt: an answer that is known to be right, and who tells right from wrong.

    prompt: the prompt that shows the answer too, as tokens. answer: the answer as tokens, without an end token.
    accepts(tokens): whether an answer is right, a function of its tokens alone.
    """

    prompt: Tokens
    answer: Tokens
    accepts: Callable[[Tokens], bool]


@dataclass(frozen=True, slots=True)
class Target:
    """What every method is asked for. alpha: the model's usual power. pick: as in `--pick`.

    expert: of the problem that is asked; None: it has none, or nobody knows (of `run` and `chat`).
    """

    alpha: float
    max_tokens: int
    rules: Rules
    pick: str = "random"
    expert: Expert | None = None


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way to sample, with its settings. The first sentence of a subclass's docstring is what help pages say of it.

    budget: most that a run may take: seconds ("30s"), tokens drawn ("5000t") or plain answers ("4x"); None: no limit.
    A setting may be given as its value or as the text that the command line takes. Raises UsageProblem for a value that
    can never be right.
    """

    name: ClassVar[str]
    guarantee: ClassVar[Guarantee]  # of a run that completes, with the default settings
    target: ClassVar[str] = "p^alpha"  # what the guarantee is about, in words
    traces: ClassVar[bool] = False  # whether it can use tools: an environment answers between its tokens
    needs_expert: ClassVar[bool] = False  # whether its target has an `Expert`, which only an eval knows
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
