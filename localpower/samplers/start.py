"""Where a chain begins: anywhere. A nearer start saves steps, and its answers share batches where rows are cheap.

draw          a plain draw of the proposal law, q.
smc:N         the choice among N particles of Power-SMC (smc.py).
best-of-n:N   one of N draws of q, chosen by weight (best_of_n.py).

Each token is recorded with the log q of the chain's own proposal law, whatever law drew it, so that the steps that
follow are those of mh.py. Whole answers are drawn, so that such a chain has one stage. The estimate of the normaliser
stays a proper weight of the state: a step that leaves p^alpha invariant changes neither (Neal 2001; Del Moral et al.
2006).
"""

from __future__ import annotations

from typing import NamedTuple

from localpower.completion import Rules
from localpower.readers import MOST_RUNS, whole
from localpower.samplers.best_of_n import BestOfNSampler
from localpower.samplers.smc import PowerSMC

_METHODS = ("smc", "best-of-n")


class Start(NamedTuple):
    """n answers by a method, one of which is chosen; of `draw` one."""

    method: str
    n: int

    def __str__(self) -> str:
        return self.method if self.method == "draw" else f"{self.method}:{self.n}"

    def __repr__(self) -> str:
        return repr(str(self))  # as a method takes it

    @classmethod
    def of(cls, text: str) -> Start:
        """As the setting `start` has it. Raises ValueError for anything else."""
        method, _, n = text.partition(":")
        if text == "draw":
            return DRAW
        if method not in _METHODS:
            raise ValueError(f"expected draw, smc:N or best-of-n:N, got {text!r}")
        return cls(method, int(whole(1, MOST_RUNS).read(n)))

    def at_most(self, answers: int) -> Start:
        """With no more answers than that; of one answer nothing is chosen."""
        n = min(self.n, answers)
        return Start(self.method, n) if n > 1 else DRAW

    def sampler(
        self, alpha: float, temperature: float, horizon: int, rules: Rules
    ) -> PowerSMC | BestOfNSampler:
        """What draws them, for a chain whose proposals have that temperature."""
        if self.method == "smc":
            return PowerSMC(alpha, horizon, self.n, rules=rules, proposal=temperature)
        return BestOfNSampler(alpha, temperature, horizon, self.n, rules=rules)


DRAW = Start("draw", 1)
