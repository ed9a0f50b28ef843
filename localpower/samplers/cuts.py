"""Where a step cuts the answer: laws kappa(. | x) over the drawn positions of x.

The law enters the acceptance ratio: log kappa(cut | y) - log kappa(cut | x). With a uniform law over the n_x drawn
tokens that term is log n_x - log n_y, the one the published code forgets.

Every law here rests on a gain g >= 0 of each drawn token that depends on nothing after it, and on G, their sum over the
whole answer. So kappa(cut | y) falls while y grows, which bounds it before y is complete: what early rejection needs.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from localpower.chance import Dice
from localpower.completion import Completion, Floats


class CutLaw(ABC):
    """A family of laws over cuts, one for each state. Ranks number the drawn tokens from 1."""

    name: ClassVar[str]  # as the setting `cuts` has it
    planned_cost: ClassVar[float] = (
        1.0  # answers that a plan sets aside for a step, which draws about half of one
    )

    @abstractmethod
    def gain(self, rank: int, entropy: float, before: float) -> float:
        """g of a drawn token. entropy, before: the base model's at it and at the drawn token before it (0), nats."""

    @abstractmethod
    def least(self, rank: int) -> float:
        """The smallest gain that a drawn token of this rank can have."""

    def log_share(self, rank: int, gain: float, total: float) -> float:
        """log kappa of the drawn token with this rank and gain, where all gains sum to `total`; falls in `total`."""
        return math.log(gain) - math.log(total)

    def gains(self, x: Completion) -> Floats:
        """g of every token, (len(x),); 0 at given tokens."""
        drawn = np.flatnonzero(~x.given)
        gains, before = np.zeros(len(x)), 0.0
        for rank, (i, entropy) in enumerate(zip(drawn.tolist(), x.entropy[drawn].tolist(), strict=True), 1):
            gains[i] = self.gain(rank, entropy, before)
            before = entropy
        return gains

    def weights(self, x: Completion) -> Floats:
        """kappa(. | x), (len(x),), up to a factor; 0 at given tokens."""
        return self.gains(x)

    def pick(self, dice: Dice, x: Completion) -> int:
        """Draw the position (0-based) of the first token to redraw. x must have a drawn token."""
        return dice.pick(self.weights(x))

    def log_kappa(self, x: Completion, cut: int) -> float:
        """log kappa(cut | x), nats. The cut must be a drawn position of x."""
        gains = self.gains(x)
        return self.log_share(rank_of(x, cut), float(gains[cut]), float(np.add.accumulate(gains)[-1]))


def rank_of(x: Completion, position: int) -> int:
    """The how many-th drawn token lies at `position`, from 1."""
    return position + 1 - int(x.given[: position + 1].sum())


@dataclass(frozen=True)
class UniformCuts(CutLaw):
    """Every drawn token is equally likely to be the first one redrawn."""

    name: ClassVar[str] = "uniform"

    def gain(self, rank: int, entropy: float, before: float) -> float:
        """1."""
        return 1.0

    def least(self, rank: int) -> float:
        """1."""
        return 1.0


@dataclass(frozen=True)
class RestartCuts(UniformCuts):
    """kappa(r | x) = rho [r = 1] + (1 - rho)/n: with weight rho the whole answer is drawn anew."""

    name: ClassVar[str] = "restart"

    rho: float = 0.5

    def log_share(self, rank: int, gain: float, total: float) -> float:
        """The mixture's two ways to this cut, summed."""
        return math.log(self.rho * (rank == 1) + (1.0 - self.rho) * gain / total)

    def weights(self, x: Completion) -> Floats:
        """The mixture; rho belongs to the first drawn token."""
        gains = self.gains(x)
        weights: Floats = (1.0 - self.rho) * gains / gains.sum()
        weights[np.flatnonzero(gains)[0]] += self.rho
        return weights


@dataclass(frozen=True)
class EntropyCuts(CutLaw):
    """g = max(0, rise of the base entropy)^4 + floor (Zhou, Mehrotra, Liu, arXiv 2605.30327; the floor is ours).

    Without the floor a kernel is not irreducible: where the entropy never rises nothing would ever be cut.
    """

    name: ClassVar[str] = "entropy"
    floor: ClassVar[float] = 0.01

    def gain(self, rank: int, entropy: float, before: float) -> float:
        """The rise to the fourth, and the floor."""
        rise = max(0.0, entropy - before)
        return rise * rise * rise * rise + self.floor

    def least(self, rank: int) -> float:
        """The floor."""
        return self.floor


def cut_law(name: str, rho: float = 0.5) -> CutLaw:
    """The law that `--cuts` names. Raises KeyError for another name."""
    return RestartCuts(rho) if name == "restart" else CUTS[name]()


CUTS: dict[str, type[CutLaw]] = {law.name: law for law in (UniformCuts, RestartCuts, EntropyCuts)}
