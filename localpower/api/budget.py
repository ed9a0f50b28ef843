"""`--budget`: what it allows, and the sampler whose schedule fits it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from localpower.api.request import SamplingOptions
from localpower.readers import MOST_RUNS
from localpower.runs.pace import Pace
from localpower.samplers import Budget, Sampler
from localpower.samplers.budget import Room

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
    """What `--budget` says, of the whole run: chains share it.

    speed(rows): tokens a second so many at a time, as once measured. pace: of the run to come.
    """
    if text is None:
        return Allowed(lambda _: None, None, None)
    number, unit = float(text[:-1]), text[-1]
    if unit == "x":
        return Allowed(lambda _: Budget(times=number / chains), None, text)
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


def within(sampler: Sampler, options: SamplingOptions, allowed: Allowed) -> tuple[Sampler, list[str]]:
    """The sampler whose schedule fits, and what to say about it. What was given by hand is only ever lowered."""
    if allowed.words is None:
        return sampler, []
    budget = allowed.budget(sampler.width)
    longest = int(sampler.settings()["max_tokens"])
    most = MOST_RUNS // options.chains
    room = Room(lambda width: _limit(allowed.budget(width), longest), most, frozenset(options.method.given()))
    fit, words = sampler.fit(room)
    notes = [f"--budget {allowed.words}: {words}"] if words else []
    plans = getattr(sampler, "plans", False)  # chains: while they run, by the speed that they have
    if plans and allowed.measured is not None:
        return replace(fit, budget=allowed.measured), notes  # type: ignore[type-var]
    if budget is None:
        return sampler, [
            f"--budget {allowed.words}: the speed here is not known; the usual schedule, cut off then"
        ]
    budget = allowed.budget(fit.width) or budget
    below = _limit(budget, longest) < longest and not (plans and (budget.times or 0) >= 1)
    if below:
        each = " a chain" if options.chains > 1 else ""
        notes.insert(0, f"--budget {allowed.words} is below one plain answer of {longest} tokens{each}")
    return replace(fit, budget=budget), notes  # type: ignore[type-var]


def _limit(budget: Budget | None, longest: int) -> int:
    return budget.limit(longest) if budget else 0
