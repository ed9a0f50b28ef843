"""The methods of an eval by their labels: what a user wrote, `power:steps=10` or `best-of-n:matched`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from localpower.api.budget import allowed, within
from localpower.api.question import check
from localpower.api.request import Pick, SamplingOptions, check_width, suited
from localpower.errors import UsageProblem
from localpower.evals.experts import expert_of
from localpower.evals.grade import Grader
from localpower.evals.jobs import EvalMethod, RenderedProblem
from localpower.loaded import Loaded, usual_alpha
from localpower.methods import EVERYDAY, Expert, Method
from localpower.registry import names, parse, split
from localpower.samplers import Sampler

_MATCHED = ":matched"
_SOMEBODY = Expert((), (), lambda _: True)  # until problems are known


def label_methods(
    methods: Sequence[Method | str], common: Mapping[str, Any], pick: Pick = "random"
) -> dict[str, SamplingOptions]:
    """Options by label. A text may name several: `base,power:alpha=2:steps=10,best-of-n:matched`. Raises UsageProblem.

    common: settings for all that have them and do not set them themselves.
    """
    found: dict[str, SamplingOptions] = {}
    for method in methods:
        texts = _labels(method) if isinstance(method, str) else [str(method)]
        for label in texts:
            if label in found:
                raise UsageProblem(f"--method {label} is given twice")
            options = _options(label, common, pick)
            for other, known in found.items():
                if known == options and (_MATCHED in other) == (_MATCHED in label):
                    raise UsageProblem(f"--method {label} is the same as {other}, with the same settings")
            found[label] = options
    matched_to(found)
    return found


def _options(label: str, common: Mapping[str, Any], pick: Pick) -> SamplingOptions:
    text = label.replace(_MATCHED, "")
    own = split(text)[1]
    method = parse(text, **common)
    if _MATCHED in label and (method.name != "best-of-n" or "n" in own):
        raise UsageProblem(
            "best-of-n:matched takes its n from what it is matched to, and is only of best-of-n"
        )
    if method.budget is not None and method.budget.endswith("s"):
        raise UsageProblem(
            f"--budget {method.budget} would make answers depend on the machine", "use 4x or 5000t"
        )
    options = SamplingOptions(method, pick=pick)
    check(options, _SOMEBODY)  # values that can never be right are told before a model loads
    return options


def _labels(text: str) -> list[str]:
    """Split at commas, but for those within a value of a setting."""
    found: list[str] = []
    for i, part in enumerate(text.split(",")):
        if i and part.strip().split(":")[0] not in names() and "=" in found[-1]:
            found[-1] += f",{part.strip()}"
        else:
            found.append(part.strip())
    return found


def matched_to(labels: Mapping[str, SamplingOptions]) -> str | None:
    """The method that best-of-n:matched is matched to: the first chain. Raises UsageProblem without one."""
    if not any(_MATCHED in label for label in labels):
        return None
    chains = [label for label, options in labels.items() if options.method.name == "power"]
    if not chains:
        raise UsageProblem("best-of-n:matched is matched to a power run: --method power,best-of-n:matched")
    return chains[0]


def eval_methods(
    labels: Mapping[str, SamplingOptions],
    loaded: Callable[[], Loaded],
    parallel: int | None,
    grader: Grader,
) -> list[EvalMethod]:
    """The methods as a run uses them. parallel: answers at once; None: as many as the machine is good for.

    grader: the verifier of methods that need one.
    """
    to = matched_to(labels)

    def maker(options: SamplingOptions) -> Callable[[RenderedProblem, int | None], tuple[Sampler, float]]:
        def make(asked: RenderedProblem, n: int | None) -> tuple[Sampler, float]:
            method = options.method if n is None else options.method.having(n=n)
            mine = replace(options, method=method, max_tokens=asked.max_tokens)
            usual = usual_alpha(chat=asked.chat, preset=loaded().preset)
            expert = expert_of(asked, loaded(), grader) if method.needs_expert else None
            sampler = method.sampler(mine.target(usual, asked.rules, expert))
            budget = allowed(method.budget, 1, lambda _: None, len(asked.tokens))
            sampler, _ = within(sampler, mine, budget)
            check_width(sampler, 1)
            widest = loaded().widest()
            wide = widest if parallel == 1 else min(widest, 1)
            return suited(sampler, 1, wide, ahead=loaded().goes_ahead()), method.power(usual)

        return make

    return [
        EvalMethod(label, maker(options), to if _MATCHED in label else None, options.method.needs_expert)
        for label, options in labels.items()
    ]


def needs_expert(labels: Mapping[str, SamplingOptions]) -> bool:
    """Whether one of the methods works from experts' answers."""
    return any(options.method.needs_expert for options in labels.values())


def to_json(options: SamplingOptions) -> dict[str, Any]:
    """What a method was asked for, for the record; what never changes a result is left out."""
    method = options.method
    beside = {key: getattr(method, key, None) for key in (*EVERYDAY, "budget")}
    own = method.having(**{key: None for key in beside if method.option(key)})
    return {"method": str(own), **beside, "pick": options.pick}
