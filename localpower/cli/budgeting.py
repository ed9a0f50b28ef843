"""`--budget`: what it allows, and the sampler whose schedule fits it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from localpower.cli.options import MOST_RUNS
from localpower.cli.planning import Wishes
from localpower.samplers import Ancestral, BestOfN, Budget, Lookahead, PowerMH, PowerSMC, Sampler, Tempering
from localpower.samplers.tempering import ladder

_CAREFUL = 0.9  # of the tokens that seconds are good for: the prompt has to be read, and machines are noisy


@dataclass(frozen=True, slots=True)
class Allowed:
    """tokens: of one chain, or so many times a plain answer; None: not known. seconds: of the whole run."""

    tokens: Budget | None
    seconds: float | None


def allowed(text: str | None, chains: int, speed: Callable[[int], float | None], width: int) -> Allowed:
    """What `--budget` says. Seconds and tokens are the whole run's; speed(rows): tokens a second so many at a time."""
    if text is None:
        return Allowed(None, None)
    number, unit = float(text[:-1]), text[-1]
    if unit == "x":
        return Allowed(Budget(times=number), None)
    if unit == "t":
        return Allowed(Budget(tokens=max(int(number) // chains, 1)), None)
    rate = speed(chains * width)
    return Allowed(Budget(tokens=max(int(_CAREFUL * number * rate / chains), 1)) if rate else None, number)


def within(sampler: Sampler, wishes: Wishes, budget: Budget | None) -> tuple[Sampler, list[str]]:
    """The sampler whose schedule fits, and what to say about it. What was given by hand is only ever lowered."""
    if budget is None:
        return sampler, []
    fit, what = _fit(sampler, wishes, budget)
    longest = int(sampler.settings()["max_tokens"])
    below = budget.limit(longest) < longest and not (
        isinstance(sampler, PowerMH) and (budget.times or 0) >= 1
    )
    notes = [f"--budget {wishes.budget} is below one plain answer of {longest} tokens"] if below else []
    return fit, [*notes, *([f"--budget {wishes.budget}: {what}"] if what else [])]


def _fit(sampler: Sampler, wishes: Wishes, budget: Budget) -> tuple[Sampler, str]:
    """The sampler and its schedule in words; a chain says its own once its plain draw is known."""
    longest = int(sampler.settings()["max_tokens"])
    limit = budget.limit(longest)
    answers = limit // longest  # plain answers that fit, the longest there are
    if isinstance(sampler, PowerMH):
        return replace(sampler, budget=budget, steps=wishes.steps), ""
    if isinstance(sampler, Ancestral):
        return replace(sampler, budget=budget), f"one plain answer, cut off after {limit} tokens"
    if isinstance(sampler, BestOfN):
        n = _members(answers, wishes.n, wishes.chains)
        return replace(sampler, budget=budget, n=n), f"-n {n}"
    if isinstance(sampler, PowerSMC):
        n = _members(answers, wishes.particles, wishes.chains)
        return replace(sampler, budget=budget, particles=n), f"--particles {n}"
    if isinstance(sampler, Lookahead):
        looks = _looks(sampler, answers)
        words = f"--candidates {looks.candidates} --rollouts {looks.rollouts}"
        return replace(looks, budget=budget), words
    if isinstance(sampler, Tempering):
        rounds = _rounds(sampler, wishes, limit / longest)
        return replace(rounds, budget=budget), f"--rungs {len(rounds.rungs)} --steps {rounds.steps}"
    return sampler, ""


def _members(answers: int, given: int | None, chains: int) -> int:
    """As many as fit, or as given."""
    most = min(answers, MOST_RUNS // chains)
    return max(most if given is None else min(most, given), 1)


def _looks(sampler: Lookahead, answers: int) -> Lookahead:
    """Fewer rollouts, then fewer candidates, until candidates * (1 + rollouts) plain answers fit."""
    candidates, rollouts = sampler.candidates, sampler.rollouts
    while candidates * (1 + rollouts) > max(answers, 1):
        if rollouts > 1 or candidates == 1:
            rollouts -= 1
        else:
            candidates -= 1
    return replace(sampler, candidates=candidates, rollouts=rollouts)


def _rounds(sampler: Tempering, wishes: Wishes, answers: float) -> Tempering:
    """Rounds that fit after the first draw of every rung; fewer rungs where not one round fits."""
    cost = sampler.cuts.usual_cost
    if wishes.rungs is None:
        while len(sampler.rungs) > 1 and len(sampler.rungs) * (1.0 + cost) > answers:
            sampler = replace(sampler, rungs=ladder(sampler.alpha, len(sampler.rungs) - 1))
    fit = max(int((answers / len(sampler.rungs) - 1.0) / cost), 0)
    return replace(sampler, steps=fit if wishes.steps is None else min(fit, wishes.steps))
