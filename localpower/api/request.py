"""What is asked of a model, as plain values: how to sample, how a text becomes a prompt."""

from __future__ import annotations

import json
import operator
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from localpower.errors import UsageProblem
from localpower.methods import Expert, Method, Target
from localpower.readers import MOST_RUNS
from localpower.registry import parse
from localpower.samplers import Sampler
from localpower.samplers.mh import Power
from localpower.tools.use import ToolUse

Pick = Literal["random", "logp", "all"]
_OURS = ("messages", "bos_token", "eos_token", "add_generation_prompt")  # template variables
NEUTRAL: dict[str, tuple[Any, ...]] = {  # other programs' settings, with the values that change nothing
    "top_p": (1,),
    "top_k": (0, -1),
    "min_p": (0,),
    "typical_p": (1,),
    "repeat_penalty": (1,),
    "repetition_penalty": (1,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logit_bias": ({},),
}


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """How to sample. pick: which of several chains answers: one at random, the likeliest, or random with all shown."""

    method: Method = field(default_factory=Power)
    max_tokens: int = 256
    chains: int = 1
    pick: Pick = "random"

    def __post_init__(self) -> None:
        """Raises UsageProblem for values that can never be right."""
        if not isinstance(self.method, Method):
            raise UsageProblem(
                f"a method is a value such as Power(alpha=4), or its text, got {self.method!r}"
            )
        for name, most in (("max_tokens", 2**31 - 1), ("chains", MOST_RUNS)):
            object.__setattr__(self, name, whole_number(name, getattr(self, name), 1, most))
        if self.pick not in ("random", "logp", "all"):
            raise UsageProblem(f"pick must be random, logp or all, got {self.pick!r}")
        budget = self.method.budget
        if budget is not None and budget.endswith("t") and int(budget[:-1]) < self.chains:
            raise UsageProblem(f"a budget of {budget} is less than a token for each of {self.chains} chains")

    @classmethod
    def of(
        cls, method: Method | str | None, max_tokens: int, chains: int = 1, pick: Pick = "random"
    ) -> SamplingOptions:
        """As calls have them; a method may be its text, None: Power(). Raises UsageProblem."""
        if isinstance(method, str):
            method = parse(method)
        return cls(Power() if method is None else method, max_tokens, chains, pick)

    def target(self, alpha: float, rules: Any, expert: Expert | None = None) -> Target:
        """For a method. alpha: the model's usual one. expert: of the problem that is asked."""
        return Target(alpha, self.max_tokens, rules, self.pick, expert)


@dataclass(frozen=True, slots=True)
class PromptOptions:
    """How a text becomes a prompt, and what ends its answer. raw: as it is, without the chat template.

    think: thoughts are switched on or off, where the template has a switch for them; None: as the template likes.
    thinking_budget: most tokens of a thought; then the model is led to its answer (text/thinking.py). None: no limit.
    tools: what the model may call; None: nothing, and its first turn is its answer.
    """

    system: str | None = None
    raw: bool = False
    stops: tuple[str, ...] = ()
    template_args: Mapping[str, Any] = field(default_factory=dict)
    think: bool | None = None
    thinking_budget: int | None = None
    tools: ToolUse | None = None

    def __post_init__(self) -> None:
        """Raises UsageProblem for values that can never be right."""
        if self.system is not None and not isinstance(self.system, str):
            raise UsageProblem(f"the system message is a text, got {self.system!r}")
        for stop in self.stops:
            if not isinstance(stop, str):
                raise UsageProblem(f"a stop is a text, got {stop!r}")
        if not all(self.stops):
            raise UsageProblem("--stop must not be empty: an answer would end before it begins")
        if self.thinking_budget is not None:
            most = whole_number("thinking_budget", self.thinking_budget, 0, 2**31 - 1)
            object.__setattr__(self, "thinking_budget", most)
        if not isinstance(self.think, bool | None):
            raise UsageProblem(f"think is True, False or None, got {self.think!r}")
        for name in self.template_args:
            if not isinstance(name, str) or not name.isidentifier():
                raise UsageProblem(f"{name!r} is no name of a template variable")
            if name in _OURS:
                raise UsageProblem(f"the template variable {name} cannot be set: localpower does")
        try:
            json.dumps(dict(self.template_args))
        except (TypeError, ValueError):
            raise UsageProblem("values of template variables are plain JSON") from None

    @classmethod
    def of(
        cls,
        system: str | None,
        raw: bool,
        stops: Sequence[str],
        template_args: Mapping[str, Any] | None,
        think: bool | None = None,
        thinking_budget: int | None = None,
        tools: Any = None,
    ) -> PromptOptions:
        """As calls have them. Raises UsageProblem."""
        if isinstance(stops, str | bytes) or not isinstance(stops, Sequence):
            raise UsageProblem(f"stops is a list of texts, got {stops!r}")
        if template_args is not None and not isinstance(template_args, Mapping):
            raise UsageProblem(f"template_args is a dictionary, got {template_args!r}")
        return cls(
            system, raw, tuple(stops), template_args or {}, think, thinking_budget, ToolUse.among(tools)
        )


def whole_number(name: str, value: Any, low: int, high: int) -> int:
    """A whole number of Python or numpy. Raises UsageProblem for anything else, and outside low to high."""
    try:
        found = -1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        found = -1
    if not low <= found <= high:
        raise UsageProblem(f"{name} must be a whole number from {low} to {high}, got {value!r}")
    return found


def chosen_seed(seed: Any) -> int:
    """A seed, or one that is drawn. Raises UsageProblem."""
    return secrets.randbits(32) if seed is None else whole_number("seed", seed, 0, 2**64 - 1)


def chosen_seeds(seed: Any, n: int) -> list[int]:
    """Seeds of n answers: a first one and the numbers after it, or as many as are given. Raises UsageProblem."""
    if isinstance(seed, Sequence) and not isinstance(seed, str | bytes):
        if len(seed) != n:
            raise UsageProblem(f"{len(seed)} seeds for {n} prompts")
        return [chosen_seed(whole_number("seed", each, 0, 2**64 - 1)) for each in seed]
    first = chosen_seed(seed)
    return [first + i for i in range(n)]


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
