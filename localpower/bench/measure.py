"""One measurement: a row on a prompt. And what the measurements of a row add up to."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from localpower.bench.plain import PlainTimes
from localpower.bench.prompts import LONG, PROMPTS
from localpower.bench.rows import BenchRow
from localpower.chance import StreamDice
from localpower.loaded.gguf import LoadedGguf, as_gguf
from localpower.model import Tokens
from localpower.runs.interrupt import Interrupts
from localpower.runs.session import run_chains

LONG_PROMPT = PROMPTS.index(LONG)
_COSTS = (
    "seconds",
    "prompt_seconds",
    "decoded_tokens",
    "prefill_tokens",
    "padded_rows",
    "wasted_rows",
    "saved_tokens",
)


class Forgetful:
    """An engine that remembers nothing from one proposal to the next: a chain pins its state before each."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def pin(self, context: Tokens, owner: object = None, prompt_length: int | None = None) -> None:
        """Forget everything."""
        self._engine.reset()


@dataclass(frozen=True, slots=True)
class Measured:
    """Costs of one run. seconds: all of it, of which prompt_seconds until the prompt was read.

    prefill_tokens: evaluated tokens beyond those drawn: prompt, prefixes read again, cuts. bare: tokens a second of
    the bare loop just before and after.
    """

    name: str
    prompt: int
    seconds: float
    prompt_seconds: float
    n_tokens: int
    n_steps: int
    n_accepted: int
    n_free: int
    n_early: int
    decoded_tokens: int
    prefill_tokens: int
    padded_rows: int
    wasted_rows: int
    saved_tokens: int
    bare: float | None = None

    @property
    def rate(self) -> float:
        """Tokens drawn a second, once the prompt was read."""
        return self.decoded_tokens / (self.seconds - self.prompt_seconds)


def _total(found: Sequence[Any], name: str) -> Any:
    return sum(getattr(one, name) for one in found)


def measure(
    loaded: LoadedGguf, row: BenchRow, prompt: Tokens, number: int, seed: int, interrupts: Interrupts
) -> Measured:
    """Run a row once in an engine of its own, prompt included. Raises Interrupted."""
    horizon = row.sampler.settings()["max_tokens"]
    at_once = row.chains * row.sampler.width
    engine = as_gguf(loaded.engine(prompt, horizon, at_once, interrupts.check, chains=row.chains))
    try:
        start = time.perf_counter()
        engine.logits([prompt])
        prompt_seconds = time.perf_counter() - start
        tallies = run_chains(
            Forgetful(engine) if row.forget else engine, row.sampler, prompt, StreamDice(seed), row.chains
        )
        seconds = time.perf_counter() - start
        counters = engine.counters
    finally:
        engine.close()
    interrupts.check()
    total = partial(_total, tallies)
    decoded = total("n_decoded")
    return Measured(
        row.name,
        number,
        seconds,
        prompt_seconds,
        sum(len(tally.state) for tally in tallies),
        total("n_steps"),
        total("n_accepted"),
        total("n_free"),
        total("n_early"),
        decoded,
        max(counters.prefill_tokens + counters.answer_tokens - decoded - counters.wasted_rows, 0),
        counters.padded_rows,
        counters.wasted_rows,
        total("n_saved"),
    )


def summed(row: BenchRow, found: Sequence[Measured]) -> dict[str, Any]:
    """A row of the table: sums over prompts; the cost multiple is the median over them."""
    total = partial(_total, found)
    settings = row.sampler.settings()
    drawn = [one for one in found if one.seconds > one.prompt_seconds]
    steps, free = total("n_steps"), total("n_free")
    seconds, decoded = total("seconds"), total("decoded_tokens")
    return {
        "name": row.name,
        "cuts": settings.get("cuts"),
        "alpha": settings.get("alpha"),
        "max_tokens": settings["max_tokens"],
        "block": settings.get("block"),
        "steps": settings.get("steps"),
        "chains": row.chains,
        "n_steps": steps,
        **{name: total(name) for name in _COSTS},
        "tokens_per_second": decoded / seconds if seconds else None,
        "cost_multiple": statistics.median(one.decoded_tokens / one.n_tokens for one in found),
        "acceptance_rate": total("n_accepted") / (steps - free) if steps > free else None,
        "free_share": free / steps if steps else None,
        "early_share": total("n_early") / steps if steps else None,
        "rates": [one.rate for one in drawn],
        "over_bare": [one.rate / one.bare for one in drawn if one.bare],
        "by_prompt": [
            {"prompt": one.prompt, "seconds": one.seconds, "decoded_tokens": one.decoded_tokens}
            for one in found
        ],
    }


def raw_row(rows: int, tokens: int, found: Sequence[tuple[float, int]]) -> dict[str, Any]:
    """The same object for a bare loop; what it does not have is null."""
    seconds = sum(one for one, _ in found)
    evaluated = rows * tokens * len(found)
    empty = dict.fromkeys(("cuts", "alpha", "block", "steps", "n_steps", "cost_multiple", "acceptance_rate"))
    return {
        "name": f"raw-{rows}",
        **empty,
        "max_tokens": tokens,
        "chains": rows,
        "seconds": seconds,
        "prompt_seconds": 0.0,
        "decoded_tokens": evaluated,
        "prefill_tokens": 0,
        "padded_rows": sum(padded for _, padded in found),
        "wasted_rows": 0,
        "saved_tokens": 0,
        "tokens_per_second": evaluated / seconds if seconds else None,
        "free_share": None,
        "early_share": None,
    }


def plain_row(max_tokens: int, found: Sequence[PlainTimes]) -> dict[str, Any]:
    """The same object for llama-cpp-python's own completion."""
    n_tokens = _total(found, "n_tokens")
    seconds, prompt_seconds = _total(found, "seconds"), _total(found, "prompt_seconds")
    bare = raw_row(1, 1, [(seconds, 0)])
    return bare | {
        "name": "plain",
        "max_tokens": max_tokens,
        "prompt_seconds": prompt_seconds,
        "decoded_tokens": n_tokens,
        "tokens_per_second": n_tokens / seconds if seconds else None,
        "cost_multiple": 1.0,
        "rates": [
            (one.n_tokens - 1) / (one.seconds - one.prompt_seconds) for one in found if one.n_tokens > 1
        ],
    }


def ratios(rows: Sequence[dict[str, Any]]) -> Iterator[tuple[str, float]]:
    """What the table shows, in words and numbers."""
    by_name = {row["name"]: row for row in rows}
    if {"plain", "base"} <= by_name.keys() and len(by_name["plain"]["rates"]) == len(
        by_name["base"]["rates"]
    ):
        pairs = zip(by_name["base"]["rates"], by_name["plain"]["rates"], strict=True)
        yield (
            "tokens/s after the prompt, base over plain, median of turns",
            statistics.median(ours / theirs for ours, theirs in pairs),
        )

    if {"mh", "raw-1"} <= by_name.keys():
        mh = by_name["mh"]
        yield "tokens drawn, mh over mh-reuse", mh["decoded_tokens"] / by_name["mh-reuse"]["decoded_tokens"]
        yield "seconds, mh-fresh over mh", by_name["mh-fresh"]["seconds"] / mh["seconds"]
        pairs = zip(by_name["mh-fresh"]["by_prompt"], mh["by_prompt"], strict=True)
        gains = {one["prompt"]: one["seconds"] / other["seconds"] for one, other in pairs}
        if LONG_PROMPT in gains:
            yield "the same on the long prompt alone", gains[LONG_PROMPT]
    for name in ("base", "chains-8"):
        if found := by_name.get(name, {}).get("over_bare"):
            words = f"tokens/s after the prompt, {name} over the bare loop around it, median"
            yield words, statistics.median(found)
