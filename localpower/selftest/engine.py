"""Is the engine exact here? The probe, made anew, and a chain whose recorded numbers are evaluated again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from localpower.chance import StreamDice
from localpower.loaded.gguf import LoadedGguf
from localpower.runs.session import run_chains
from localpower.samplers import PowerMH
from localpower.text.conversation import Conversation
from localpower.width import relative_cost

_QUESTION = "Name three rivers and say in which country each of them ends."
_MAX_TOKENS = 24
_CHAINS = 6


@dataclass(frozen=True, slots=True)
class EngineReport:
    """shapes: largest |difference in log p| by batch shape, nats (0: the same bits).

    chain: largest |recorded log p - log p evaluated afresh| over the final states of six chains side by side,
    whose suffixes were copied, rejected and rewritten. price: seconds of a lone row in these settings over the
    same row in llama.cpp's own. tried: settings that were rejected and why. timed: seconds of a lone row by settings.
    cost: of batches of 2, 4, 8 and 16 rows, in lone rows.
    """

    memory: str
    exact: bool
    settings: dict[str, Any]
    words: str
    shapes: dict[str, float]
    tried: dict[str, str]
    timed: dict[str, float]
    price: float
    cost: dict[int, float]
    chain: float


def check_engine(
    loaded: LoadedGguf, heard: Callable[[int, int], None] = lambda _done, _of: None
) -> EngineReport:
    """Reads the verdict that `loaded` was opened with; the chains run here. heard: of how many are evaluated again."""
    verdict = loaded.verdict
    return EngineReport(
        loaded.weights.memory_kind(),
        verdict.exact,
        verdict.settings.to_json(),
        verdict.settings.words(),
        verdict.shapes,
        verdict.tried,
        verdict.timed,
        verdict.price,
        {rows: relative_cost(verdict.curve, rows) for rows in (2, 4, 8, 16)},
        _chain_difference(loaded, heard),
    )


def _chain_difference(loaded: LoadedGguf, heard: Callable[[int, int], None]) -> float:
    prompt = loaded.prompt(Conversation.of(_QUESTION), raw=False, arguments={})
    engine = loaded.engine(prompt, _MAX_TOKENS, _CHAINS, lambda: None)
    sampler = PowerMH(2.0, 0.5, max_tokens=_MAX_TOKENS, block=16, steps=4)
    largest = 0.0
    for i, tally in enumerate(run_chains(engine, sampler, prompt, StreamDice(1), _CHAINS), 1):
        heard(i, _CHAINS)
        state = tally.state
        afresh = engine.score(prompt, state.tokens)
        largest = max(largest, float(np.abs(afresh - state.log_p).max(initial=0.0)))
    return largest
