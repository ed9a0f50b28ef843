"""Does the sampler draw from the law it claims? A known distribution through the real dice and kernel.

Each replicate starts from an exact draw of the target and makes k steps; its end state must still follow the
target, and replicates are independent. The same test runs on a kernel with a known fault (the length term of
the ratio forgotten), and must flag it: a test that cannot fail proves nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from localpower.chance import StreamDice
from localpower.completion import Completion, extend
from localpower.model import Model, Tokens
from localpower.samplers.acceptance import HOT_CUT
from localpower.samplers.cuts import UniformCuts
from localpower.samplers.kernel import ChainState, Kernel
from localpower.statistics import g_test
from localpower.toy import ToyModel, power_law

PROMPT: Tokens = (1,)
HORIZON = 4
ALPHA = 3.0
TOY = ToyModel(words=("<end>", "a", "b"), seed=11, spread=1.0)
REPLICATES = 1500
STEPS = 10
LOG_LEVEL = math.log(1e-6)  # chance of a false alarm


class ForgottenLengthTerm(UniformCuts):
    """Uniform cuts that claim to be equally likely whatever the answer's length: the published fault."""

    def log_share(self, rank: int, gain: float, total: float) -> float:
        """0 instead of -log n."""
        return 0.0


@dataclass(frozen=True, slots=True)
class LawReport:
    """total_variation between replicates and target, beside noise_floor: its mean over exact draws.

    passed: the G-test gives the counts a chance of at least one in a million under the target.
    """

    kernel: str
    replicates: int
    steps: int
    states: int
    total_variation: float
    noise_floor: float
    g: float
    log_p: float

    @property
    def passed(self) -> bool:
        """Whether the target explains the counts."""
        return bool(self.log_p >= LOG_LEVEL)


def check_law(
    kernel: str,
    cuts: UniformCuts,
    *,
    replicates: int = REPLICATES,
    steps: int = STEPS,
    seed: int = 1,
    heard: Callable[[int, int], None] = lambda _done, _of: None,
) -> LawReport:
    """Replicates from exact starts, `steps` steps each, against the enumerated target. heard: of how many are made."""
    target = power_law(TOY, PROMPT, HORIZON, ALPHA)
    order = {tokens: i for i, tokens in enumerate(target)}
    law = np.array(list(target.values()))
    starts = [recorded(TOY, PROMPT, tokens, HORIZON, ALPHA) for tokens in target]
    chain = Kernel(ALPHA, 1.0 / ALPHA, cuts, variant=HOT_CUT)
    dice = StreamDice(seed)
    counts = np.zeros(len(order), dtype=np.int64)
    for index in range(replicates):
        heard(index, replicates)
        own = dice.spawn(index)
        state = ChainState(starts[own.spawn(0).pick(law)], HORIZON)
        for k in range(steps):
            moved = chain.step(own.spawn(1 + k), state, TOY, PROMPT)
            state = moved[0] if moved else state
        counts[order[state.completion.tokens]] += 1
    fit = g_test(counts, law)
    return LawReport(
        kernel,
        replicates,
        steps,
        len(order),
        0.5 * float(np.abs(counts / replicates - law).sum()),
        float(np.sqrt(law * (1.0 - law) / replicates / (2.0 * np.pi)).sum()),
        fit.g,
        fit.log_p,
    )


def recorded(model: Model, prompt: Tokens, tokens: Tokens, horizon: int, alpha: float) -> Completion:
    """A target state with the numbers a draw of it would have recorded, by replaying the draw."""
    forced = iter(tokens)

    class Forced:
        def pick(self, weights: Any, sums: Any = None) -> int:
            return next(forced)

        def threshold(self) -> Any:
            raise NotImplementedError

        def spawn(self, key: int) -> Forced:
            return self

    return extend(Forced(), model, prompt, Completion(), horizon, temperature=1.0 / alpha)
