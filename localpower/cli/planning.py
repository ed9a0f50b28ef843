"""From options to a sampler: defaults, and what must be said about options that do nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

from localpower.cli.values import MOST_RUNS
from localpower.completion import Rules
from localpower.drafts import Mode
from localpower.errors import UsageProblem
from localpower.loaded import ALPHA_CHAT, ALPHA_RAW
from localpower.samplers import Ancestral, BestOfN, Lookahead, PowerMH, PowerSMC, Sampler, Tempering
from localpower.samplers.cuts import cut_law
from localpower.samplers.race import Form
from localpower.samplers.start import Start
from localpower.samplers.tempering import ladder

_STEPS = 5
_FORM = ("start", "hot_cut", "metropolised", "prefetch", "drafts")
_USES = {  # options that only some methods use
    "power": {"alpha", "temperature", "block", "steps", "cuts", "rho", *_FORM},
    "base": set[str](),
    "low-temp": {"alpha", "temperature"},
    "best-of-n": {"alpha", "temperature", "n"},
    "smc": {"alpha", "particles", "ramp", "ess"},
    "tempering": {"alpha", "block", "steps", "cuts", "rho", "hot_cut", "rungs"},
    "lookahead": {"alpha", "temperature", "block", "candidates", "rollouts"},
}


@dataclass(frozen=True, slots=True)
class Wishes:
    """Sampling options as given; None: the sampler's own default."""

    method: str = "power"
    alpha: float | None = None
    temperature: float | None = None
    max_tokens: int = 256
    block: int | None = None
    steps: int | None = None
    cuts: str = "restart"
    rho: float = 0.5
    start: str = "draw"
    hot_cut: bool = True
    metropolised: bool = False
    n: int | None = None
    particles: int | None = None
    ramp: int | None = None
    ess: float | None = None
    rungs: str | None = None
    candidates: int | None = None
    rollouts: int | None = None
    prefetch: str = "auto"
    drafts: Mode = "auto"
    pick: str = "random"
    chains: int = 1
    budget: str | None = None


def make_sampler(wishes: Wishes, rules: Rules, *, chat: bool) -> tuple[Sampler, float]:
    """The sampler and the alpha it is about. Raises UsageProblem for values that contradict each other."""
    alpha = wishes.alpha if wishes.alpha is not None else ALPHA_CHAT if chat else ALPHA_RAW
    if wishes.alpha is None and wishes.method == "tempering" and "," in (wishes.rungs or ""):
        alpha = max(map(float, str(wishes.rungs).split(",")))
    if wishes.method == "base":
        if wishes.temperature not in (None, 1.0):
            raise UsageProblem("--method base samples at temperature 1", "use --method low-temp")
        alpha = 1.0
    sampler = _MAKERS[wishes.method](wishes, alpha, rules)
    return sampler, alpha


def check_width(sampler: Sampler, wishes: Wishes) -> None:
    """Raise UsageProblem for more answers at once than llama.cpp has sequences for."""
    at_once = sampler.width * wishes.chains
    if at_once > MOST_RUNS:
        raise UsageProblem(
            f"--chains times what each has in a batch must be at most {MOST_RUNS}, got {at_once}",
            "--prefetch, -n, --particles, --rungs, or --candidates times --rollouts is in a batch",
        )


def _given(**values: Any) -> dict[str, Any]:
    """Those that are not None."""
    return {name: value for name, value in values.items() if value is not None}


def _temperature(wishes: Wishes, alpha: float) -> float:
    return wishes.temperature if wishes.temperature is not None else 1.0 / alpha


def _plain(wishes: Wishes, alpha: float, rules: Rules) -> Sampler:
    temperature = 1.0 if wishes.method == "base" else _temperature(wishes, alpha)
    return Ancestral(wishes.method, temperature, wishes.max_tokens, rules)


def _power(wishes: Wishes, alpha: float, rules: Rules) -> Sampler:
    return PowerMH(
        alpha,
        _temperature(wishes, alpha),
        wishes.max_tokens,
        wishes.block or wishes.max_tokens,
        _STEPS if wishes.steps is None else wishes.steps,
        cut_law(wishes.cuts, wishes.rho),
        rules,
        prefetch=1 if wishes.prefetch == "auto" else int(wishes.prefetch),
        form=Form(wishes.hot_cut, wishes.metropolised),
        start=Start.of(wishes.start),
        drafts=wishes.drafts,
    )


def _best_of_n(wishes: Wishes, alpha: float, rules: Rules) -> Sampler:
    return BestOfN(
        alpha,
        _temperature(wishes, alpha),
        wishes.max_tokens,
        select="logp" if wishes.pick == "logp" else "weight",
        rules=rules,
        **_given(n=wishes.n),
    )


def _smc(wishes: Wishes, alpha: float, rules: Rules) -> Sampler:
    own = _given(particles=wishes.particles, ramp=wishes.ramp, ess=wishes.ess)
    return PowerSMC(alpha, wishes.max_tokens, rules=rules, **own)


def _tempering(wishes: Wishes, alpha: float, rules: Rules) -> Sampler:
    text = wishes.rungs or "4"
    rungs = (
        ladder(alpha, int(text))
        if text.isdigit()
        else tuple(sorted(map(float, text.split(",")), reverse=True))
    )
    return Tempering(
        alpha,
        wishes.max_tokens,
        wishes.block or wishes.max_tokens,
        _STEPS if wishes.steps is None else wishes.steps,
        rungs,
        cut_law(wishes.cuts, wishes.rho),
        rules,
        Form(wishes.hot_cut),
    )


def _lookahead(wishes: Wishes, alpha: float, rules: Rules) -> Sampler:
    return Lookahead(
        alpha,
        _temperature(wishes, alpha),
        wishes.max_tokens,
        wishes.block or max(wishes.max_tokens // 16, 1),
        rules=rules,
        **_given(candidates=wishes.candidates, rollouts=wishes.rollouts),
    )


_MAKERS: dict[str, Callable[[Wishes, float, Rules], Sampler]] = {
    "base": _plain,
    "low-temp": _plain,
    "power": _power,
    "best-of-n": _best_of_n,
    "smc": _smc,
    "tempering": _tempering,
    "lookahead": _lookahead,
}


def fitted(sampler: Sampler, wishes: Wishes, widest: int, *, ahead: bool) -> Sampler:
    """The sampler with as many proposals in a batch as the engine is good for; ahead: whether it takes drafts."""
    if not isinstance(sampler, PowerMH):
        return sampler
    if not ahead:
        sampler = replace(sampler, drafts="off")
    if widest == 0:
        sampler = replace(sampler, prefetch=1)
    if wishes.prefetch == "auto":
        steps = widest if sampler.steps is None else sampler.steps
        most = min(widest, steps, MOST_RUNS // wishes.chains)  # more is room for nothing
        return replace(sampler, prefetch=max(1, most), adaptive=True)
    return sampler


def unused(method: str, cuts: str, given: Collection[str]) -> list[str]:
    """Notes on options that the method does not use."""
    notes = [f"{name} means nothing to --method {method}" for name in used_by_none([method], given)]
    if "rho" in _USES[method] and cuts != "restart" and "rho" in given:
        notes.insert(0, "--rho means nothing to --cuts " + cuts)
    return notes


def used_by_none(methods: Collection[str], given: Collection[str]) -> list[str]:
    """Options of single methods that were given and belong to none of these."""
    own, used = (
        set().union(*(uses for method, uses in _USES.items() if method in names))
        for names in (_USES, methods)
    )
    return ["-n" if name == "n" else f"--{name}" for name in sorted((own - used).intersection(given))]


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
