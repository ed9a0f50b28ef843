"""An expert's answer in the model's own words: a chain over answers that a verifier accepts.

Target   pi(x) ∝ p(x | prompt)^alpha 1[the verifier accepts x], over completions that end within H tokens or are exactly
         H long. At alpha = 1 that is p conditioned on being right, which is the law nearest to p (in Kullback-Leibler
         divergence) of all that only give right answers. The step of projection.py leaves it exactly invariant
         (enumeration in tests/samplers/test_project.py); above 1 it sharpens as well.
Start    The expert's answer: right by construction, so that no luck is needed, as it is of plain draws.
         It may be anywhere in the target, so that the chain's end is as near to it as its steps brought it.
Proposal The model, shown the problem with the expert's answer, at a temperature: anything that can write every token
         would do; one that knows the answer is right more often.
Source   Karan, Chen & Du 2026, arXiv 2610.02140. Differs from code that was published for it, which accepts whenever
         the mean log p rises, caps proposals at the current length, and asks no verifier (tests/project_mutants.py).
Budget   counts tokens drawn, and is planned for the longest proposals that there can be: steps draw about half of them.
Cost     a step draws what follows the divergence, and where the verifier accepts that, evaluates it once more under the
         plain prompt; the start is evaluated under both. Both prompts stay in the cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from localpower.chance import Dice
from localpower.completion import PLAIN, Rules
from localpower.errors import UsageProblem
from localpower.events import Adopted, Event, Planned
from localpower.methods import Expert, Method, Target, setting, temperature_setting
from localpower.model import Model, Tokens, beside
from localpower.readers import MOST_ALPHA, number, whole
from localpower.samplers.base import Guarantee, finished, require
from localpower.samplers.budget import Budget, Room
from localpower.samplers.chain import cuts_setting, restart_weight_setting, stepped, unread_weight
from localpower.samplers.cuts import CutLaw, RestartCuts, UniformCuts, cut_law
from localpower.samplers.kernel import ChainState
from localpower.samplers.projection import ProjectionKernel

STEPS = 60
_COLDEST = 1e-3


@dataclass(frozen=True, slots=True)
class Projection:
    """The chain: `steps` steps from the expert's answer. Raises UsageProblem for settings that can never be right.

    ahead: rows of one answer are evaluated together where its log p is wanted; it changes nothing but the batches.
    """

    expert: Expert
    alpha: float = 1.0
    temperature: float = 1.0
    max_tokens: int = 256
    steps: int = STEPS
    cuts: CutLaw = field(default_factory=UniformCuts)
    rules: Rules = PLAIN
    method: str = "project"
    ahead: bool = False
    budget: Budget | None = None
    width: ClassVar[int] = 2  # one under each prompt, though one is asked for at a time: both are kept
    n_prompts: ClassVar[int] = 2  # the plain one, and the one that shows the expert's answer
    plans: ClassVar[bool] = True  # steps are planned once the length of the start is known

    def __post_init__(self) -> None:
        """Check the settings."""
        require("--alpha", self.alpha, 1.0)
        require("--temperature", self.temperature, _COLDEST)
        require("--max-tokens", self.max_tokens, 1)
        require("--steps", self.steps, 0)

    @property
    def guarantee(self) -> Guarantee:
        """Invariant towards p^alpha restricted to what the verifier accepts; without a step only the start is left."""
        return "invariant" if self.steps else "approximate"

    def settings(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "alpha": self.alpha,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "steps": self.steps,
            "cuts": self.cuts.name,
            **({"restart_weight": self.cuts.rho} if isinstance(self.cuts, RestartCuts) else {}),
        }

    def expected_cost(self) -> float:
        """Half of an answer a step: the start is not drawn."""
        return self.steps * self.cuts.planned_cost / 2

    def fit(self, room: Room) -> tuple[Projection, str]:
        """The steps are planned when it runs, and then said."""
        return self, ""

    def suited(self, widest: int, most: int, *, ahead: bool) -> Projection:
        """The same chain, with rows of one answer evaluated together where the engine can."""
        return replace(self, ahead=ahead)

    @property
    def kernel(self) -> ProjectionKernel:
        """The step."""
        return ProjectionKernel(
            self.alpha, self.temperature, self.cuts, self.expert, self.rules, ahead=self.ahead
        )

    def run(self, model: Model, prompt: Tokens, dice: Dice) -> Iterator[Event]:
        """All steps; step k draws from `dice.spawn(k)`. Raises UserError for an expert's answer that is no state."""
        kernel, horizon = self.kernel, self.max_tokens
        state, n_scored = kernel.start(model, prompt, horizon)
        yield Adopted(horizon, state, n_scored)
        steps = self.steps
        if self.budget is not None:  # so many that none is cut off: then their number depends on no draw
            limit = self.budget.limit(state.n_drawn)
            steps = min(steps, limit // horizon)
            yield Planned(steps, limit)
        shown = beside(model, self.expert.prompt)
        for k in range(steps):
            model.pin(prompt + state.tokens)
            shown.pin(self.expert.prompt + state.tokens)
            found = kernel.step(dice.spawn(k), ChainState(state, horizon), model, prompt)
            if found is None:
                break
            after, info = found
            yield stepped(0, k, horizon, state, info)
            state = after.completion
        yield finished(state, self.rules)


@dataclass(frozen=True, kw_only=True)
class Project(Method):
    """A chain from an expert's answer towards p^alpha restricted to what a verifier accepts; for eval alone."""

    name = "project"
    guarantee = "invariant"
    target = "p^alpha restricted to answers that the verifier accepts"
    needs_expert = True
    alpha: float | None = setting(None, number(1.0, MOST_ALPHA), "The power.", "1")
    temperature: float | None = temperature_setting()
    steps: int | None = setting(None, whole(0), "Steps of the chain.", str(STEPS))
    cuts: str = cuts_setting("uniform")
    restart_weight: float = restart_weight_setting()

    def power(self, usual: float) -> float:
        """1 unless it is set: the law of right answers itself, which no model's kind makes another."""
        return 1.0 if self.alpha is None else self.alpha

    def notes(self) -> list[str]:
        """A weight that no cut law reads."""
        return unread_weight(self.cuts, self.restart_weight)

    def sampler(self, target: Target) -> Projection:
        """The chain. Raises UsageProblem where nobody knows an expert's answer and a verifier."""
        if target.expert is None:
            raise UsageProblem(
                "--method project needs a worked answer and a verifier, which only the problems of an eval have",
                "localpower eval TASK --method project",
            )
        return Projection(
            target.expert,
            self.power(target.alpha),
            self.proposal(target.alpha),
            target.max_tokens,
            STEPS if self.steps is None else self.steps,
            cut_law(self.cuts, self.restart_weight),
            target.rules,
            self.name,
        )
