"""What is asked of a model, as plain values: how to sample, how a text becomes a prompt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from localpower.errors import UsageProblem
from localpower.methods import Method, Target
from localpower.readers import MOST_RUNS
from localpower.samplers import Sampler
from localpower.samplers.mh import Power

Pick = Literal["random", "logp", "all"]
_OURS = ("messages", "bos_token", "eos_token", "add_generation_prompt")  # template variables


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """How to sample. pick: which of several chains answers: one at random, the likeliest, or random with all shown."""

    method: Method = field(default_factory=Power)
    max_tokens: int = 256
    chains: int = 1
    pick: Pick = "random"

    def __post_init__(self) -> None:
        """Raises UsageProblem for values that can never be right."""
        for name, value, most in (
            ("max_tokens", self.max_tokens, 2**31 - 1),
            ("chains", self.chains, MOST_RUNS),
        ):
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
                raise UsageProblem(f"{name} must be a whole number from 1 to {most}, got {value!r}")
        if self.pick not in ("random", "logp", "all"):
            raise UsageProblem(f"pick must be random, logp or all, got {self.pick!r}")
        budget = self.method.budget
        if budget is not None and budget.endswith("t") and int(budget[:-1]) < self.chains:
            raise UsageProblem(f"a budget of {budget} is less than a token for each of {self.chains} chains")

    def target(self, alpha: float, rules: Any) -> Target:
        """For a method. alpha: the model's usual one."""
        return Target(alpha, self.max_tokens, rules, self.pick)


@dataclass(frozen=True, slots=True)
class PromptOptions:
    """How a text becomes a prompt, and what ends its answer. raw: as it is, without the chat template."""

    system: str | None = None
    raw: bool = False
    stops: tuple[str, ...] = ()
    template_args: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises UsageProblem for values that can never be right."""
        if not all(self.stops):
            raise UsageProblem("--stop must not be empty: an answer would end before it begins")
        for name in self.template_args:
            if not name.isidentifier():
                raise UsageProblem(f"{name!r} is no name of a template variable")
            if name in _OURS:
                raise UsageProblem(f"the template variable {name} cannot be set: localpower does")


def check_width(sampler: Sampler, chains: int) -> None:
    """Raise UsageProblem for more answers at once than llama.cpp has sequences for."""
    at_once = sampler.width * chains
    if at_once > MOST_RUNS:
        raise UsageProblem(
            f"--chains times what each has in a batch must be at most {MOST_RUNS}, got {at_once}",
            "prefetch, start, n, particles, or candidates times rollouts is in a batch",
        )


def suited(sampler: Sampler, chains: int, widest: int, *, ahead: bool) -> Sampler:
    """The sampler with as many proposals in a batch as the engine is good for; ahead: whether it takes drafts."""
    own = getattr(sampler, "suited", None)  # only chains have a choice
    found: Sampler = own(widest, MOST_RUNS // chains, ahead=ahead) if own else sampler
    return found
