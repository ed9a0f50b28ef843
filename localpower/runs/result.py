"""The JSON object of an answer: what `run --json` prints. Field names are part of the interface."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from localpower import __version__
from localpower.runs.repetition import repetition
from localpower.runs.tally import Tally, cost_multiple, plain_answer, plain_tokens
from localpower.samplers import Sampler
from localpower.samplers.population import log_mean


@dataclass(frozen=True, slots=True)
class RunContext:
    """What a whole run shares. exactness: "exact", or the largest difference in log p seen, nats."""

    sampler: Sampler
    alpha: float
    seed: int
    seconds: float
    exactness: str | float
    model: dict[str, Any]
    prefill_tokens: int
    padded_rows: int
    wasted_rows: int
    budget: str | None = None
    plain_seconds: Callable[[int], float | None] = lambda _: None  # of a plain answer of so many tokens


def describe(
    tallies: Sequence[Tally],
    picked: int,
    how: str,
    circumstances: RunContext,
    text: Callable[[Tally], str],
) -> dict[str, Any]:
    """One chain: its object. Several: the picked chain's answer with the costs of all, and `chains`."""
    if len(tallies) == 1:
        return _one(tallies, tallies[0], circumstances, text)
    whole = _one(tallies, tallies[picked], circumstances, text)
    estimates = [tally.log_z for tally in tallies if tally.log_z is not None]
    if len(estimates) == len(tallies):  # independent estimates of one normaliser: their mean
        whole["log_z"] = log_mean(np.array(estimates))
    if how == "logp":
        whole["guarantee"] = "approximate"  # the most likely of several is no draw from p^alpha
    chains = [_one([tally], tally, circumstances, text) for tally in tallies]
    for chain in chains:  # evaluated once for all chains
        chain["prefill_tokens"] = chain["padded_rows"] = chain["wasted_rows"] = None
    return whole | {"pick": how, "picked": picked, "chains": chains}


def _one(
    paid: Sequence[Tally], answer: Tally, run: RunContext, text: Callable[[Tally], str]
) -> dict[str, Any]:
    """The answer of one chain at the cost of all the chains in `paid`."""
    state = answer.state
    settings = run.sampler.settings()
    decoded = sum(tally.n_decoded for tally in paid)
    n_steps = sum(tally.n_steps for tally in paid)
    n_free = sum(tally.n_free for tally in paid)
    n_accepted = sum(tally.n_accepted for tally in paid)
    moves = n_steps - n_free
    cut_short = any(tally.finish in ("interrupted", "budget") for tally in paid)
    no_step = answer.planned == 0 and run.alpha != 1.0  # only what a chain begins with is left
    start = "approximate" if answer.log_z is None else "asymptotic"
    plain = run.plain_seconds(round(plain_tokens(paid))) if len(state) else None
    return {
        "text": text(answer),
        "tokens": list(state.tokens),
        "finish": answer.finish,
        "method": run.sampler.method,
        "alpha": run.alpha,
        "temperature": settings["temperature"],
        "max_tokens": settings["max_tokens"],
        "steps": settings.get("steps"),
        "settings": settings,
        "budget": run.budget,
        "planned_steps": answer.planned,
        "log_z": answer.log_z,
        "seed": run.seed,
        "log_p": state.total_log_p(),
        "n_tokens": len(state),
        "first_n_tokens": answer.first,
        "repetition": repetition(state.tokens),
        "n_started": len(answer.members) if answer.log_z is not None else 1,
        "acceptance_rate": n_accepted / moves if moves else None,
        "n_steps": n_steps,
        "n_accepted": n_accepted,
        "n_free": n_free,
        "n_early": sum(tally.n_early for tally in paid),
        "decoded_tokens": decoded,
        "prefill_tokens": run.prefill_tokens,
        "padded_rows": run.padded_rows,
        "wasted_rows": run.wasted_rows,
        "saved_tokens": sum(tally.n_saved for tally in paid),
        "plain_answer": plain_answer(paid),
        "plain_tokens": plain_tokens(paid),
        "cost_multiple": cost_multiple(paid),
        "time_multiple": run.seconds / plain if plain else None,
        "seconds": run.seconds,
        "tokens_per_second": decoded / run.seconds if run.seconds > 0 else None,
        "exactness": run.exactness,
        "guarantee": "approximate" if cut_short else start if no_step else run.sampler.guarantee,
        "model": run.model,
        "version": __version__,
    }
