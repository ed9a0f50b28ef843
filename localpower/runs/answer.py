"""An answer and what is known about it: what `generate` returns, and `run --json` prints. Names are the interface."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from localpower import __version__
from localpower.model import Tokens
from localpower.runs.repetition import repetition
from localpower.runs.tally import Tally, cost_multiple, plain_answer, plain_tokens
from localpower.samplers import Sampler
from localpower.samplers.base import Guarantee
from localpower.samplers.population import log_mean
from localpower.tools.report import TraceReport


@dataclass(frozen=True, slots=True)
class RunContext:
    """What a whole run shares. exactness: "exact", or the largest difference in log p seen, nats."""

    sampler: Sampler
    alpha: float
    seed: int
    prompt_tokens: int
    seconds: float
    exactness: str | float
    model: dict[str, Any]
    prefill_tokens: int | None = None
    padded_rows: int | None = None
    wasted_rows: int | None = None
    budget: str | None = None
    plain_seconds: Callable[[int], float | None] = lambda _: None  # of a plain answer of so many tokens
    reading: float = 0.0  # seconds of them that went into the prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer. Of several chains the one that was picked, with the costs of all, and each of them in `chains`.

    tokens: as drawn, an end token too, and with tools what they answered. finish: stop (it ended by itself), length,
    turns (its last turn calls a tool and may have no answer), budget or interrupted. log_p: of the
    tokens, nats. log_z: log of the estimated normaliser, of methods that estimate it. first_n_tokens: of the plain draw
    that a chain began with. repetition: share of runs of four tokens that stood in the answer before; None: too short.
    acceptance_rate: accepted proposals over those that differed from the answer. n_free: steps whose proposal was the
    answer itself. decoded_tokens: drawn in all, rejected proposals too. prefill_tokens, padded_rows, wasted_rows: of
    the engine; None: counted for all chains together. plain_tokens: of a plain answer, which plain_answer names.
    cost_multiple: decoded_tokens over plain_tokens; time_multiple: seconds over those of such an answer.
    thinking_tokens: of a thought, its marks included; None: the answer has none.
    n_refused: proposals that a verifier rejected, and scored_tokens: evaluated for their log p alone, of both prompts;
    None: of methods without a verifier. tokens_per_second: of decoded_tokens, without the time that the prompt took.
    guarantee: as in docs/glossary.md. trace: of an answer with tools, whose text is that of its last turn.
    """

    text: str
    tokens: Tokens
    finish: str
    method: str
    alpha: float
    temperature: float
    max_tokens: int
    steps: int | None
    settings: dict[str, Any]
    budget: str | None
    planned_steps: int | None
    log_z: float | None
    seed: int
    log_p: float
    n_tokens: int
    first_n_tokens: int | None
    repetition: float | None
    n_started: int
    acceptance_rate: float | None
    n_steps: int
    n_accepted: int
    n_free: int
    n_early: int
    decoded_tokens: int
    prompt_tokens: int
    prefill_tokens: int | None
    padded_rows: int | None
    wasted_rows: int | None
    saved_tokens: int
    plain_answer: str
    plain_tokens: float
    cost_multiple: float | None
    time_multiple: float | None
    seconds: float
    tokens_per_second: float | None
    exactness: str | float
    guarantee: Guarantee
    model: dict[str, Any]
    version: str
    pick: str | None = None
    picked: int | None = None
    chains: tuple[Answer, ...] = ()
    diagnostics: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()
    thinking_tokens: int | None = None
    n_refused: int | None = None
    scored_tokens: int | None = None
    trace: TraceReport | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; what belongs to several chains, and diagnostics, where there are any."""
        found = {each.name: getattr(self, each.name) for each in fields(self)}
        found |= {"tokens": list(self.tokens), "notes": list(self.notes)}
        found["trace"] = self.trace and self.trace.to_dict()
        found["chains"] = [chain.to_dict() for chain in self.chains]
        optional = {
            "pick": self.pick,
            "picked": self.pick is not None,
            "chains": self.chains,
            "diagnostics": self.diagnostics,
            "n_refused": self.n_refused is not None,
            "scored_tokens": self.scored_tokens is not None,
            "trace": self.trace is not None,
        }
        return {name: value for name, value in found.items() if name not in optional or optional[name]}


def describe(
    tallies: Sequence[Tally], picked: int, how: str, context: RunContext, text: Callable[[Tally], str]
) -> Answer:
    """The answer of one chain, or the picked one of several."""
    if len(tallies) == 1:
        return _one(tallies, tallies[0], context, text)
    whole = _one(tallies, tallies[picked], context, text)
    estimates = [tally.log_z for tally in tallies if tally.log_z is not None]
    if len(estimates) == len(tallies):  # independent estimates of one normaliser: their mean
        whole = replace(whole, log_z=log_mean(np.array(estimates)))
    if how == "logp":
        whole = replace(whole, guarantee="approximate")  # the most likely of several is no draw from p^alpha
    # Evaluated once for all.
    alone = replace(context, prefill_tokens=None, padded_rows=None, wasted_rows=None)
    chains = tuple(_one([tally], tally, alone, text) for tally in tallies)
    return replace(whole, pick=how, picked=picked, chains=chains)


def _one(paid: Sequence[Tally], answer: Tally, run: RunContext, text: Callable[[Tally], str]) -> Answer:
    """The answer of one chain at the cost of all the chains in `paid`."""
    state, settings = answer.state, run.sampler.settings()
    n_steps, n_free, n_accepted, n_early, decoded, saved = (
        sum(getattr(tally, name) for tally in paid)
        for name in ("n_steps", "n_free", "n_accepted", "n_early", "n_decoded", "n_saved")
    )
    moves, drawing = n_steps - n_free, run.seconds - run.reading
    cut_short = any(tally.finish in ("interrupted", "budget") for tally in paid)
    # Only what a chain begins with is left then: at alpha 1 a draw of its law, unless nobody drew it.
    no_step = answer.planned == 0 and (run.alpha != 1.0 or answer.adopted)
    start: Guarantee = "approximate" if answer.log_z is None else "asymptotic"
    plain = run.plain_seconds(round(plain_tokens(paid))) if len(state) else None
    return Answer(
        text=text(answer),
        tokens=state.tokens,
        finish=answer.finish,
        method=run.sampler.method,
        alpha=run.alpha,
        temperature=settings["temperature"],
        max_tokens=settings["max_tokens"],
        steps=settings.get("steps"),
        settings=settings,
        budget=run.budget,
        planned_steps=answer.planned,
        log_z=answer.log_z,
        seed=run.seed,
        log_p=state.total_log_p(),
        n_tokens=len(state),
        first_n_tokens=answer.first,
        repetition=repetition(state.tokens),
        n_started=len(answer.members) if answer.log_z is not None else 1,
        acceptance_rate=n_accepted / moves if moves else None,
        n_steps=n_steps,
        n_accepted=n_accepted,
        n_free=n_free,
        n_early=n_early,
        decoded_tokens=decoded,
        prompt_tokens=run.prompt_tokens,
        prefill_tokens=run.prefill_tokens,
        padded_rows=run.padded_rows,
        wasted_rows=run.wasted_rows,
        saved_tokens=saved,
        plain_answer=plain_answer(paid),
        plain_tokens=plain_tokens(paid),
        cost_multiple=cost_multiple(paid),
        time_multiple=run.seconds / plain if plain else None,
        seconds=run.seconds,
        tokens_per_second=decoded / drawing if drawing > 0 else None,
        exactness=run.exactness,
        guarantee="approximate" if cut_short else start if no_step else run.sampler.guarantee,
        model=run.model,
        version=__version__,
        n_refused=sum(tally.n_refused for tally in paid) if answer.adopted else None,
        scored_tokens=sum(tally.n_scored for tally in paid) if answer.adopted else None,
    )
