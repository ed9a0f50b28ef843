"""The acceptance ratio of a proposal, followed while it grows: what it is, and the most it can still become.

Each variant below leaves p^alpha invariant by detailed balance, and in each no drawn token can raise it, so that the
value for an unfinished proposal bounds every completion of it: what early rejection rests on.

plain         log_w(y) - log_w(x) + log kappa(cut | y) - log kappa(cut | x).
metropolised  the proposal is another than the state for certain, so that its law is q(y) / (1 - Q(x)), Q the
              probability of a suffix: + log(1 - Q(x)) - log(1 - Q(y)). Q(y) falls as y grows, so the last term does.
hot cut       the token at the cut is drawn from p itself, so that in log_w, and in Q, its log q is log p. At 1/alpha
              answers are hidden that begin with a token which p^alpha likes less than what follows it: each token of an
              answer costs the factor sum p^alpha < 1, which the proposal does not see. One token of p's own finds them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from localpower.chance import Threshold
from localpower.completion import PLAIN, Completion, Rules
from localpower.samplers.cuts import CutLaw, rank_of

NEVER = -1e30  # stands for log 0, and for the log ratio of what must not be accepted; finite, for the record


class StepVariant(NamedTuple):
    """How a step proposes and decides; every one has the same target.

    hot_cut: the token at the cut is drawn from p itself, the others from q.
    metropolised: the proposal differs from the state.
    """

    hot_cut: bool = False
    metropolised: bool = False


PLAIN_STEP = StepVariant()
HOT_CUT = StepVariant(hot_cut=True)


class AcceptanceRatio:
    """Follows a proposal y as it grows beyond `parting` and says when it can only be rejected.

    log_w: sum of y's terms so far; log_w_x, log_kappa_x: the state's.
    allowance: tokens that may be drawn; `spent` once more would be needed.
    """

    def __init__(
        self,
        threshold: Threshold,
        x: Completion,
        cut: int,
        parting: int,
        alpha: float,
        cuts: CutLaw,
        rules: Rules,
        variant: StepVariant = PLAIN_STEP,
        allowance: int | None = None,
    ) -> None:
        self._left, self.spent = allowance, False
        self._threshold, self._alpha, self._cuts, self._variant = threshold, alpha, cuts, variant
        self._hot = cut if variant.hot_cut else -1  # position of the token drawn from p
        gains = cuts.gains(x)
        self._rank, self._gain = rank_of(x, cut), float(gains[cut])
        # Drawn tokens before the parting, which is an observation where its chance is drawn anew.
        self._n = parting - int(x.given[:parting].sum())
        self._total = float(np.add.accumulate(gains[:parting])[-1]) if parting else 0.0
        self._before = float(next(iter(x.entropy[:parting][~x.given[:parting]][::-1]), 0.0))
        # Whether what is not complete will draw at least one more token: an observation ends no trace.
        self._another = rules.given is PLAIN.given
        self._bounded = True
        self.log_w, self.log_w_x = 0.0, x.log_w(alpha, parting, hot=parting == self._hot)
        self.log_kappa_x = cuts.log_kappa(x, cut)
        shared = np.minimum(x.law(cut, hot=variant.hot_cut), 0.0)
        self._log_q = float(shared[: parting - cut].sum())
        self._log_other_x = log_other(float(shared.sum()))

    def without_bounds(self) -> AcceptanceRatio:
        """The same, but it never stops anything."""
        self._bounded = False
        return self

    def drawn(self, position: int, log_p: float, log_q: float, entropy: float, *, complete: bool) -> bool:
        """As in `TokenObserver`."""
        self._n += 1
        self._total += self._cuts.gain(self._n, entropy, self._before)
        self._before = entropy
        log_q = log_p if position == self._hot else log_q
        self.log_w += min(self._alpha * log_p - log_q, 0.0)
        self._log_q += min(log_q, 0.0)
        if self._left is not None:
            self._left -= 1
        if complete:
            return False
        if self._bounded and not self._threshold.below(self.log_ratio(unfinished=True)):
            return True
        self.spent = self._left is not None and self._left <= 0
        return self.spent

    def log_kappa(self, *, unfinished: bool) -> float:
        """log kappa(cut | y), or where y will grow an upper bound of it."""
        more = self._cuts.least(self._n + 1) if unfinished and self._another else 0.0
        return self._cuts.log_share(self._rank, self._gain, self._total + more)

    def log_ratio(self, *, unfinished: bool) -> float:
        """log of the ratio; an upper bound where y will grow."""
        kappa = self.log_kappa(unfinished=unfinished)
        if not self._variant.metropolised:
            return self.log_w + kappa - self.log_w_x - self.log_kappa_x
        rest = kappa - self.log_kappa_x + self._log_other_x - log_other(self._log_q)
        if rest == math.inf:  # 1 - Q(y) rounds to nothing: the way back could never be proposed
            return 0.0 if unfinished else NEVER
        return self.log_w - self.log_w_x + rest


def log_other(log_q: float) -> float:
    """log(1 - Q) for log Q <= 0; -inf where it rounds to that."""
    return math.log(-math.expm1(log_q)) if log_q < 0.0 else -math.inf
