"""From options to a sampler: defaults, and what must be said about options that do nothing."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from localpower.cli.options import MOST_RUNS
from localpower.completion import Rules
from localpower.drafts import Mode
from localpower.errors import UsageProblem
from localpower.samplers import Ancestral, PowerMH, Sampler
from localpower.samplers.cuts import cut_law
from localpower.samplers.race import Form

_ALPHA_RAW, _ALPHA_CHAT = 4.0, 2.5
_CHAIN = ("block", "steps", "cuts", "rho", "staged", "metropolised", "tries", "prefetch", "drafts")


@dataclass(frozen=True, slots=True)
class Wishes:
    """Sampling options as given; None: not given."""

    method: str
    alpha: float | None
    temperature: float | None
    max_tokens: int
    block: int | None
    steps: int
    cuts: str
    rho: float
    staged: int
    metropolised: bool
    tries: int
    prefetch: str
    drafts: Mode
    chains: int


def make_sampler(wishes: Wishes, rules: Rules, *, chat: bool) -> tuple[Sampler, float]:
    """The sampler and the alpha it is about. Raises UsageProblem for values that contradict each other."""
    alpha = wishes.alpha if wishes.alpha is not None else _ALPHA_CHAT if chat else _ALPHA_RAW
    if wishes.method == "base":
        if wishes.temperature not in (None, 1.0):
            raise UsageProblem("--method base samples at temperature 1", "use --method low-temp")
        return Ancestral("base", 1.0, wishes.max_tokens, rules), 1.0
    temperature = wishes.temperature if wishes.temperature is not None else 1.0 / alpha
    if wishes.method == "low-temp":
        return Ancestral("low-temp", temperature, wishes.max_tokens, rules), alpha
    block = wishes.block or -(-wishes.max_tokens // 4)
    cuts = cut_law(wishes.cuts, wishes.rho)
    ahead = 1 if wishes.prefetch == "auto" else int(wishes.prefetch)
    at_once = ahead * wishes.chains * wishes.tries
    if at_once > MOST_RUNS:
        raise UsageProblem(
            f"--chains times --prefetch times --tries must be at most {MOST_RUNS}, got {at_once}"
        )
    form = Form(wishes.staged, wishes.metropolised, wishes.tries)
    sampler = PowerMH(
        alpha,
        temperature,
        wishes.max_tokens,
        block,
        wishes.steps,
        cuts,
        rules,
        prefetch=ahead,
        form=form,
        drafts=wishes.drafts,
    )
    return sampler, alpha


def fitted(sampler: Sampler, wishes: Wishes, widest: int) -> Sampler:
    """The sampler with as many proposals in a batch as the engine is good for; no rows ahead where it is for none."""
    if not isinstance(sampler, PowerMH):
        return sampler
    if widest == 0:
        sampler = replace(sampler, drafts="off", prefetch=1)
    if wishes.prefetch == "auto":
        most = min(
            widest, sampler.steps, MOST_RUNS // (wishes.chains * wishes.tries)
        )  # more is room for nothing
        return replace(sampler, prefetch=max(1, most), adaptive=True)
    return sampler


def unused(method: str, cuts: str, given: Collection[str]) -> list[str]:
    """Notes on options that the method does not use."""
    does_nothing = {
        "base": {"alpha", *_CHAIN},
        "low-temp": {*_CHAIN},
        "power": set(),
    }[method]
    rho = (
        ["--rho means nothing to --cuts " + cuts]
        if method == "power" and cuts != "restart" and "rho" in given
        else []
    )
    return rho + [
        f"--{name} means nothing to --method {method}" for name in sorted(does_nothing.intersection(given))
    ]


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
