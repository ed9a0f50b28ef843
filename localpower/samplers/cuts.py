"""Where a step cuts the answer: laws kappa(. | x) over the drawn positions of x.

The law enters the acceptance ratio (Lemma 1): log kappa(cut | y) - log kappa(cut | x). With a uniform law
over the n_x drawn tokens that term is log n_x - log n_y, the one the published code forgets.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np

from localpower.chance import Dice
from localpower.completion import Completion, Floats


class CutLaw(ABC):
    """A family of laws over cuts, one for each state, given by weights over its positions."""

    name: str  # as in `--cuts`

    @abstractmethod
    def weights(self, x: Completion) -> Floats:
        """Unnormalised kappa(. | x), (len(x),); 0 at given tokens."""

    def pick(self, dice: Dice, x: Completion) -> int:
        """Draw the position (0-based) of the first token to redraw. x must have a drawn token."""
        return dice.pick(self.weights(x))

    def log_kappa(self, x: Completion, cut: int) -> float:
        """log kappa(cut | x), nats. The cut must be a drawn position of x."""
        weights = self.weights(x)
        return math.log(float(weights[cut])) - math.log(float(weights.sum()))


class UniformCuts(CutLaw):
    """Every drawn token of x is equally likely to be the first one redrawn."""

    name = "uniform"

    def weights(self, x: Completion) -> Floats:
        """1 at drawn tokens, 0 at given ones."""
        return np.where(x.given, 0.0, 1.0)


CUTS: dict[str, CutLaw] = {law.name: law for law in (UniformCuts(),)}
