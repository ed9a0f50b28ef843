"""`--method` of eval: names separated by commas, each with settings of its own after colons."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import click

from localpower.cli.budgeting import allowed, within
from localpower.cli.planning import Wishes, check_width, fitted, make_sampler
from localpower.completion import Rules
from localpower.errors import UsageProblem
from localpower.evals.jobs import Asked, Method
from localpower.loaded import Loaded
from localpower.names import METHODS
from localpower.samplers import Sampler

_OWN = (  # what a method may have of its own
    *(
        "alpha",
        "temperature",
        "block",
        "steps",
        "cuts",
        "rho",
        "start",
        "hot_cut",
        "metropolised",
        "n",
        "pick",
    ),
    *("particles", "ramp", "ess", "rungs", "candidates", "rollouts", "budget", "drafts"),
)
_MATCHED = "matched"
_NO_RESULT = ("prefetch", "drafts", "chains", "max_tokens")  # change none, or belong to the task


def parse_methods(
    texts: Sequence[str], common: Wishes, parameters: Mapping[str, click.Parameter]
) -> dict[str, Wishes]:
    """Labels and wishes: `base,power:alpha=2:steps=10,best-of-n:matched`. Raises click.UsageError.

    common: what the other options say. parameters: of the command, by name: they read the values.
    """
    found: dict[str, Wishes] = {}
    for label in (part.strip() for text in texts for part in text.split(",")):
        name, *own = label.split(":")
        if name not in METHODS:
            raise click.UsageError(f"--method {name!r} is none of {', '.join(METHODS)}")
        wishes = replace(common, method=name, temperature=None if name == "base" else common.temperature)
        for pair in own:
            if (name, pair) != ("best-of-n", _MATCHED):
                wishes = replace(wishes, **_setting(pair, parameters))
        if label in found:
            raise click.UsageError(f"--method {label} is given twice")
        if _MATCHED in own and wishes.n is not None:
            raise click.UsageError("best-of-n:matched takes its -n from what it is matched to")
        _refuse_seconds(wishes)
        make_sampler(
            wishes, Rules(), chat=False
        )  # values that can never be right are told before a model loads
        found[label] = wishes
    matched_to(found)
    return found


def _setting(pair: str, parameters: Mapping[str, click.Parameter]) -> dict[str, Any]:
    name, equals, value = pair.partition("=")
    name = name.replace("-", "_")
    if not equals or name not in _OWN:
        raise click.UsageError(f"--method: expected name=value of {', '.join(_OWN)}, got {pair!r}")
    parameter = parameters[name]
    return {name: parameter.type.convert(value, parameter, None)}


def matched_to(labels: Mapping[str, Wishes]) -> str | None:
    """The method that best-of-n:matched is matched to: the first chain. Raises click.UsageError without one."""
    if not any(_MATCHED in label.split(":") for label in labels):
        return None
    chains = [label for label, wishes in labels.items() if wishes.method == "power"]
    if not chains:
        raise click.UsageError(
            "best-of-n:matched is matched to a power run: --method power,best-of-n:matched"
        )
    return chains[0]


def make_methods(
    labels: Mapping[str, Wishes], loaded: Callable[[], Loaded], parallel: int | None
) -> list[Method]:
    """The methods as a run uses them. parallel: answers at once; None: as many as the machine is good for."""
    to = matched_to(labels)

    def maker(wishes: Wishes) -> Callable[[Asked, int | None], tuple[Sampler, float]]:
        def make(asked: Asked, n: int | None) -> tuple[Sampler, float]:
            mine = replace(wishes, max_tokens=asked.max_tokens, n=wishes.n if n is None else n)
            sampler, alpha = make_sampler(mine, asked.rules, chat=asked.chat)
            budget = allowed(mine.budget, 1, lambda _: None, len(asked.tokens))
            sampler, _ = within(sampler, mine, budget)
            check_width(sampler, mine)
            widest = loaded().widest()
            alone = parallel == 1
            return fitted(
                sampler, mine, widest if alone else min(widest, 1), ahead=loaded().goes_ahead()
            ), alpha

        return make

    return [
        Method(label, maker(w), to if _MATCHED in label.split(":") else None) for label, w in labels.items()
    ]


def to_json(wishes: Wishes) -> dict[str, Any]:
    """What a method was wished to be, for the record; what never changes a result is left out."""
    return {name: value for name, value in asdict(wishes).items() if name not in _NO_RESULT}


def _refuse_seconds(wishes: Wishes) -> None:
    """Raise UsageProblem for a budget in seconds: answers would depend on how busy the machine is."""
    if wishes.budget is not None and wishes.budget.endswith("s"):
        raise UsageProblem(
            f"--budget {wishes.budget} would make answers depend on the machine", "use 4x or 5000t"
        )
