"""`--method` of eval: names separated by commas, each with settings of its own after colons."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import click

from localpower.cli.budgeting import allowed, within
from localpower.cli.planning import (
    SamplingOptions,
    check_width,
    make_sampler,
    resolved,
    suited,
    with_n,
)
from localpower.completion import Rules
from localpower.errors import UsageProblem
from localpower.evals.jobs import Method, RenderedProblem
from localpower.loaded import Loaded
from localpower.methods import names, parse
from localpower.samplers import Sampler

_MATCHED = ":matched"
_NO_RESULT = ("chains", "max_tokens")  # change none, or belong to the task


def parse_methods(texts: Sequence[str], common: SamplingOptions) -> dict[str, SamplingOptions]:
    """Labels and options: `base,power:alpha=2:steps=10,best-of-n:matched`. Raises click.UsageError or UsageProblem.

    common: what the other options say.
    """
    found: dict[str, SamplingOptions] = {}
    for label in _labels(texts):
        method, own = parse(label.replace(_MATCHED, ""))
        temperature = None if method.name == "base" else common.temperature
        options = resolved(replace(common, method=label.replace(_MATCHED, ""), temperature=temperature))
        if label in found:
            raise click.UsageError(f"--method {label} is given twice")
        if _MATCHED in label and (method.name != "best-of-n" or "n" in own):
            raise click.UsageError(
                "best-of-n:matched takes its n from what it is matched to, and is only of best-of-n"
            )
        _refuse_seconds(options)
        make_sampler(
            options, Rules(), chat=False
        )  # values that can never be right are told before a model loads
        found[label] = options
    matched_to(found)
    return found


def _labels(texts: Sequence[str]) -> list[str]:
    """Split at commas, but for those within a value of a setting."""
    found: list[str] = []
    for text in texts:
        for i, part in enumerate(text.split(",")):
            if i and part.strip().split(":")[0] not in names() and "=" in found[-1]:
                found[-1] += f",{part.strip()}"
            else:
                found.append(part.strip())
    return found


def matched_to(labels: Mapping[str, SamplingOptions]) -> str | None:
    """The method that best-of-n:matched is matched to: the first chain. Raises click.UsageError without one."""
    if not any(_MATCHED in label for label in labels):
        return None
    chains = [label for label, options in labels.items() if options.name == "power"]
    if not chains:
        raise click.UsageError(
            "best-of-n:matched is matched to a power run: --method power,best-of-n:matched"
        )
    return chains[0]


def make_methods(
    labels: Mapping[str, SamplingOptions], loaded: Callable[[], Loaded], parallel: int | None
) -> list[Method]:
    """The methods as a run uses them. parallel: answers at once; None: as many as the machine is good for."""
    to = matched_to(labels)

    def maker(options: SamplingOptions) -> Callable[[RenderedProblem, int | None], tuple[Sampler, float]]:
        def make(asked: RenderedProblem, n: int | None) -> tuple[Sampler, float]:
            mine = with_n(replace(options, max_tokens=asked.max_tokens), n)
            sampler, alpha = make_sampler(mine, asked.rules, chat=asked.chat)
            budget = allowed(mine.budget, 1, lambda _: None, len(asked.tokens))
            sampler, _ = within(sampler, mine, budget)
            check_width(sampler, mine)
            widest = loaded().widest()
            alone = parallel == 1
            return suited(
                sampler, mine, widest if alone else min(widest, 1), ahead=loaded().goes_ahead()
            ), alpha

        return make

    return [
        Method(label, maker(options), to if _MATCHED in label else None) for label, options in labels.items()
    ]


def to_json(options: SamplingOptions) -> dict[str, Any]:
    """What a method was asked for, for the record; what never changes a result is left out."""
    return {name: value for name, value in asdict(options).items() if name not in _NO_RESULT}


def _refuse_seconds(options: SamplingOptions) -> None:
    """Raise UsageProblem for a budget in seconds: answers would depend on how busy the machine is."""
    if options.budget is not None and options.budget.endswith("s"):
        raise UsageProblem(
            f"--budget {options.budget} would make answers depend on the machine", "use 4x or 5000t"
        )
