"""`--budget`: what it allows, and the sampler whose schedule fits it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from localpower.cli.planning import Wishes
from localpower.cli.values import MOST_RUNS
from localpower.runs.pace import Pace
from localpower.samplers import Ancestral, BestOfN, Budget, Lookahead, PowerMH, PowerSMC, Sampler, Tempering
from localpower.samplers.tempering import ladder

_CAREFUL = 0.9  # of the tokens that seconds are good for: machines are noisy
_PREFILL_ROWS = 16  # a prompt is read in batches at least as quick as this many rows
_MOST_TOKENS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Allowed:
    """budget(width): of one chain that asks for so many tokens at a time; None: no budget, or no known speed.

    seconds: of the whole run. measured: the same seconds, by the speed that the run itself turns out to have.
    """

    budget: Callable[[int], Budget | None]
    seconds: float | None
    words: str | None
    measured: Budget | None = None


def allowed(
    text: str | None,
    chains: int,
    speed: Callable[[int], float | None],
    n_prompt: int,
    pace: Pace | None = None,
) -> Allowed:
    """What `--budget` says. Seconds and tokens are the whole run's.

    speed(rows): tokens a second so many at a time, as once measured. pace: of the run to come.
    """
    if text is None:
        return Allowed(lambda _: None, None, None)
    number, unit = float(text[:-1]), text[-1]
    if unit == "x":
        return Allowed(lambda _: Budget(times=number), None, text)
    if unit == "t":
        return Allowed(lambda _: Budget(tokens=min(int(number) // chains, _MOST_TOKENS)), None, text)

    def in_time(width: int) -> Budget | None:
        rate, reading = speed(chains * width), speed(_PREFILL_ROWS)
        if rate is None or reading is None:
            return None
        left = max(_CAREFUL * number - n_prompt / reading, 0.0)
        return Budget(tokens=max(min(int(left * rate / chains), _MOST_TOKENS), 1))

    measured = Budget(left=lambda: pace.tokens_left(chains)) if pace else None
    return Allowed(in_time, number, text, measured)


def within(sampler: Sampler, wishes: Wishes, allowed: Allowed) -> tuple[Sampler, list[str]]:
    """The sampler whose schedule fits, and what to say about it. What was given by hand is only ever lowered."""
    if allowed.words is None:
        return sampler, []
    if isinstance(sampler, PowerMH) and allowed.measured is not None:
        return replace(sampler, steps=wishes.steps, budget=allowed.measured), []
    budget = allowed.budget(sampler.width)
    if budget is None:
        return sampler, [
            f"--budget {allowed.words}: the speed here is not known; the usual schedule, cut off then"
        ]
    longest = int(sampler.settings()["max_tokens"])
    fit, what = _fit(sampler, wishes, lambda width: _limit(allowed.budget(width), longest))
    budget = allowed.budget(fit.width) or budget
    notes = [f"--budget {allowed.words}: {what}"] if what else []
    below = _limit(budget, longest) < longest and not (isinstance(fit, PowerMH) and (budget.times or 0) >= 1)
    if below:
        each = " a chain" if wishes.chains > 1 else ""
        notes.insert(0, f"--budget {allowed.words} is below one plain answer of {longest} tokens{each}")
    return replace(fit, budget=budget), notes  # type: ignore[type-var]


def _limit(budget: Budget | None, longest: int) -> int:
    return budget.limit(longest) if budget else 0


def _fit(sampler: Sampler, wishes: Wishes, limit: Callable[[int], int]) -> tuple[Sampler, str]:
    """The sampler and its schedule in words; a chain says its own later. limit(width): tokens."""
    longest = int(sampler.settings()["max_tokens"])
    if isinstance(sampler, PowerMH):
        return replace(sampler, steps=wishes.steps, budget=Budget(tokens=1)), ""
    if isinstance(sampler, Ancestral):
        capped = limit(1) < longest
        return sampler, f"one plain answer, cut off after {limit(1)} tokens" if capped else "one plain answer"
    most = MOST_RUNS // wishes.chains
    if isinstance(sampler, BestOfN):
        n = _members(lambda n: limit(n) // longest, wishes.n or most, most)
        return replace(sampler, n=n), f"-n {n}"
    if isinstance(sampler, PowerSMC):
        n = _members(lambda n: limit(n) // longest, wishes.particles or most, most)
        return replace(sampler, particles=n), f"--particles {n}"
    if isinstance(sampler, Lookahead):
        looks = _looks(sampler, lambda width: limit(width) // longest)
        return looks, f"--candidates {looks.candidates} --rollouts {looks.rollouts}"
    if isinstance(sampler, Tempering):
        rounds = _rounds(sampler, wishes, lambda width: limit(width) / longest)
        return rounds, f"--rungs {len(rounds.rungs)} --steps {rounds.steps}"
    return sampler, ""


def _members(answers: Callable[[int], int], wished: int, most: int) -> int:
    """As many as fit at their own speed, but no more than wished."""
    fitting = [n for n in range(1, min(wished, most) + 1) if answers(n) >= n]
    return max(fitting, default=1)


def _looks(sampler: Lookahead, answers: Callable[[int], int]) -> Lookahead:
    """Fewer rollouts, then fewer candidates, until candidates * (1 + rollouts) plain answers fit."""
    candidates, rollouts = sampler.candidates, sampler.rollouts
    while candidates * (1 + rollouts) > max(answers(candidates * max(rollouts, 1)), 1):
        if rollouts > 1 or candidates == 1:
            rollouts -= 1
        else:
            candidates -= 1
    return replace(sampler, candidates=candidates, rollouts=rollouts)


def _rounds(sampler: Tempering, wishes: Wishes, answers: Callable[[int], float]) -> Tempering:
    """Rounds a stage that fit after the first draw of every rung; fewer rungs where not one round fits."""
    stages = -(-sampler.max_tokens // sampler.block)
    cost = sampler.cuts.planned_cost * (stages + 1) / 2  # of a round of every stage, in plain answers a rung
    while wishes.rungs is None and len(sampler.rungs) > 1:
        n = len(sampler.rungs)
        if n * (1.0 + cost) <= answers(n):
            break
        sampler = replace(sampler, rungs=ladder(sampler.alpha, n - 1))
    n = len(sampler.rungs)
    fit = max(int((answers(n) / n - 1.0) / cost), 0)
    return replace(sampler, steps=fit if wishes.steps is None else min(fit, wishes.steps))
