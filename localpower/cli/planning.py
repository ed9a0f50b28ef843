"""From options to a sampler: defaults, and what must be said about options that do nothing."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from localpower.cli.values import MOST_ALPHA, read_budget
from localpower.completion import Rules
from localpower.errors import UsageProblem
from localpower.loaded import ALPHA_CHAT, ALPHA_RAW
from localpower.methods import MOST_RUNS, Method, Reader, Target, find, number, parse, read, whole
from localpower.samplers import Sampler

_EVERYDAY = {"alpha", "temperature", "steps"}  # options that only some methods use
_COMMON = {  # options of the commands that may also follow a method's name
    "alpha": number(1.0, MOST_ALPHA),
    "temperature": number(0.0),
    "steps": whole(0),
    "budget": Reader("something like 30s, 5000t or 4x", read_budget),
}


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """Sampling options as given; None: the method's own default. method: NAME:SETTING=VALUE:..."""

    method: str = "power"
    alpha: float | None = None
    temperature: float | None = None
    max_tokens: int = 256
    steps: int | None = None
    pick: str = "random"
    chains: int = 1
    budget: str | None = None

    @property
    def name(self) -> str:
        """The method's name alone."""
        return self.method.split(":")[0]

    def given(self) -> frozenset[str]:
        """Settings that were set by hand, by key."""
        steps = {"steps"} if self.steps is not None else set[str]()
        return frozenset(parse(self.method)[1]) | steps


def resolved(options: SamplingOptions) -> SamplingOptions:
    """With the options that follow the method's name, such as power:steps=10, in their place. Raises UsageProblem."""
    method, texts = parse(options.method)
    values = {}
    for key in [key for key in texts if key in _COMMON and (key in method.uses or key == "budget")]:
        text = texts.pop(key)
        try:
            values[key] = _COMMON[key].read(text)
        except ValueError:
            expected = _COMMON[key].expected
            raise UsageProblem(f"{key} of {method.name} must be {expected}, got {text!r}") from None
    read(method, texts)
    return replace(options, method=_spelled(method, texts), **values)


def _spelled(method: Method, texts: Mapping[str, str]) -> str:
    return ":".join((method.name, *(f"{key.replace('_', '-')}={text}" for key, text in texts.items())))


def make_sampler(options: SamplingOptions, rules: Rules, *, chat: bool) -> tuple[Sampler, float]:
    """The sampler and the alpha it is about. Raises UsageProblem for values that contradict each other."""
    method, texts = parse(options.method)
    values = method.values(read(method, texts))
    alpha = options.alpha if options.alpha is not None else ALPHA_CHAT if chat else ALPHA_RAW
    if method.name == "base":
        if options.temperature not in (None, 1.0):
            raise UsageProblem("--method base samples at temperature 1", "use --method low-temp")
        alpha = 1.0
    target = Target(alpha, options.max_tokens, rules, options.temperature, options.steps, options.pick)
    return method.make(target, values), alpha


def check_width(sampler: Sampler, options: SamplingOptions) -> None:
    """Raise UsageProblem for more answers at once than llama.cpp has sequences for."""
    at_once = sampler.width * options.chains
    if at_once > MOST_RUNS:
        raise UsageProblem(
            f"--chains times what each has in a batch must be at most {MOST_RUNS}, got {at_once}",
            "prefetch, start, n, particles, or candidates times rollouts is in a batch",
        )


def suited(sampler: Sampler, options: SamplingOptions, widest: int, *, ahead: bool) -> Sampler:
    """The sampler with as many proposals in a batch as the engine is good for; ahead: whether it takes drafts."""
    own = getattr(sampler, "suited", None)  # only chains have a choice
    found: Sampler = own(widest, MOST_RUNS // options.chains, ahead=ahead) if own else sampler
    return found


def unused(options: SamplingOptions, given: Collection[str]) -> list[str]:
    """Notes on options that the method does not use."""
    method, texts = parse(options.method)
    both = sorted(set(texts) & set(_COMMON) & set(given))
    notes = [f"--{key} is not used: the method has {key}={texts[key]}" for key in both]
    notes += [f"{name} means nothing to --method {method.name}" for name in used_by_none([method], given)]
    if "restart_weight" in texts and texts.get("cuts", "restart") != "restart":
        notes.append(f"restart-weight means nothing to cuts={texts['cuts']}")
    return notes


def used_by_none(methods: Collection[Method], given: Collection[str]) -> list[str]:
    """Everyday options that were given and that none of these methods reads."""
    used = set().union(*(method.uses for method in methods))
    return [f"--{name}" for name in sorted((_EVERYDAY - used).intersection(given))]


def with_setting(method: str, name: str, value: str | None) -> str:
    """`NAME:SETTING=VALUE:...` with one setting changed; None: with its default. Raises UsageProblem."""
    found, texts = parse(method)
    option = found.option(name)
    if option is None:
        read(found, {name: ""})
        raise AssertionError
    texts.pop(option.key, None)
    if value is not None:
        read(found, {option.key: value})
        texts[option.key] = value
    return _spelled(found, texts)


def method_of(options: SamplingOptions) -> Method:
    """The method by its name."""
    return find(options.name)


def template_arguments(pairs: tuple[str, ...]) -> dict[str, Any]:
    """NAME=VALUE pairs; a value that is JSON (false, 3, "x") is read as such, else it is text."""
    arguments: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise UsageProblem(f"--template-arg takes NAME=VALUE, got {pair!r}")
        if name in ("messages", "bos_token", "eos_token", "add_generation_prompt"):
            raise UsageProblem(f"--template-arg cannot set {name}: localpower does")
        try:
            arguments[name] = json.loads(value)
        except (ValueError, RecursionError):
            arguments[name] = value
    return arguments


def with_n(options: SamplingOptions, n: int | None) -> SamplingOptions:
    """With n answers to choose from; None: as it is."""
    return options if n is None else replace(options, method=with_setting(options.method, "n", str(n)))
