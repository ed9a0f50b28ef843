"""One step of the chain: the kernel that mh.py states, and what of it is never computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from localpower.chance import Dice, Threshold
from localpower.completion import PLAIN, Completion, Rules, extend
from localpower.drafts import NgramDrafter
from localpower.model import Model, Tokens
from localpower.samplers.acceptance import PLAIN_STEP, AcceptanceRatio, StepVariant
from localpower.samplers.cuts import CutLaw


class ChainState(NamedTuple):
    """What the next step needs: a completion that is complete at `horizon`."""

    completion: Completion
    horizon: int


class Optimizations(NamedTuple):
    """Which optimizations are on. Off only for comparison: the law is the same, the cost is not."""

    skip: bool = True
    early: bool = True


ALL_OPTIMIZATIONS = Optimizations()


class StepInfo(NamedTuple):
    """What a human needs. Signs: the plain log_ratio = log_w_y + log_kappa_y - log_w_x - log_kappa_x.

    log_w: sums from the divergence on. early: the proposal was given up unfinished; its terms are the upper bounds
    that decided.
    undecided: the allowance ended before the proposal did. n_scored, refused: as of `Stepped`.
    """

    cut: int
    proposal: Completion
    divergence: int | None
    log_u: float
    log_w_x: float
    log_w_y: float
    log_kappa_x: float
    log_kappa_y: float
    log_ratio: float
    accepted: bool
    early: bool
    n_decoded: int
    undecided: bool = False
    n_scored: int = 0
    refused: bool = False


class Proposal(NamedTuple):
    """y, how it fared against the state, and how many of its tokens were drawn from the model."""

    y: Completion
    ratio: AcceptanceRatio
    n_decoded: int


@dataclass(frozen=True, slots=True)
class Kernel:
    """The step that mh.py states, as a value. It leaves p^alpha invariant; a subclass that does not is a mutant."""

    alpha: float
    temperature: float
    cuts: CutLaw
    rules: Rules = PLAIN
    variant: StepVariant = PLAIN_STEP
    optimizations: Optimizations = ALL_OPTIMIZATIONS

    def step(
        self,
        dice: Dice,
        state: ChainState,
        model: Model,
        prompt: Tokens,
        *,
        drafts: NgramDrafter | None = None,
        allowance: int | None = None,
    ) -> tuple[ChainState, StepInfo] | None:
        """One step. None: nothing was drawn, so nothing can be redrawn.

        allowance: tokens that it may draw; a proposal that needs more is undecided, and must not be used.
        """
        x, horizon = state
        if x.n_drawn == 0:
            return None
        cut = self.cuts.pick(dice, x)
        threshold = dice.threshold()
        proposal = self.propose(dice, state, cut, threshold, model, prompt, drafts, allowance)
        early = not proposal.y.complete_at(horizon)
        log_ratio = proposal.ratio.log_ratio(unfinished=early)
        accepted = not early and threshold.below(log_ratio)
        y, ratio, n_decoded = proposal
        info = StepInfo(
            cut,
            y,
            divergence(x, y, fresh_from(x, cut, self.rules)),
            threshold.log_u,
            ratio.log_w_x,
            ratio.log_w,
            ratio.log_kappa_x,
            ratio.log_kappa(unfinished=early),
            log_ratio,
            accepted,
            early,
            n_decoded,
            undecided=ratio.spent,
        )
        return ChainState(y if accepted else x, horizon), info

    def propose(
        self,
        dice: Dice,
        state: ChainState,
        cut: int,
        threshold: Threshold,
        model: Model,
        prompt: Tokens,
        drafts: NgramDrafter | None = None,
        allowance: int | None = None,
    ) -> Proposal:
        """A redraw of the state from `cut` on; the state itself where it never parts from it: nothing is evaluated."""
        x, horizon = state
        variant = self.variant
        skip = self.optimizations.skip or variant.metropolised
        parting = self.part(dice, x, cut) if skip else cut
        anew = fresh_from(x, cut, self.rules)
        if anew is not None and (parting is None or anew < parting):
            parting, skip = (
                anew,
                False,
            )  # up to there it follows x; what the environment answers is drawn anew
        if parting is None:
            plain = AcceptanceRatio(
                threshold, x, cut, len(x), self.alpha, self.cuts, self.rules, PLAIN_STEP, None
            )
            return Proposal(x, plain, 0)
        ratio = self.ratio(threshold, x, cut, parting, allowance)
        y = extend(
            dice,
            model,
            prompt,
            x.head(parting),
            horizon,
            temperature=self.temperature,
            rules=self.rules,
            unlike=x.tokens[parting] if skip else None,
            hot=variant.hot_cut and parting == cut,
            watch=ratio if self.optimizations.early else ratio.without_bounds(),
            drafts=drafts,
        )
        return Proposal(y, ratio, y.tail(parting).n_drawn)

    def part(self, dice: Dice, x: Completion, cut: int) -> int | None:
        """Where the redraw first draws another token than x has there; None: nowhere."""
        return part(dice, x, cut, hot=self.variant.hot_cut, certain=self.variant.metropolised)

    def ratio(
        self, threshold: Threshold, x: Completion, cut: int, parting: int, allowance: int | None
    ) -> AcceptanceRatio:
        """What is followed while the proposal grows."""
        return AcceptanceRatio(
            threshold, x, cut, parting, self.alpha, self.cuts, self.rules, self.variant, allowance
        )


def part(dice: Dice, x: Completion, cut: int, *, hot: bool = False, certain: bool = False) -> int | None:
    """Where a redraw of x from `cut` on first draws another token than x has there; None: nowhere.

    P(it follows x as far as s) = prod of q(x_j) for cut <= j <= s, by the chain rule: known without a model.
    hot: the token at the cut is drawn from p. certain: drawn given that it does part from x; then None only where
    rounding leaves that no weight.
    """
    log_q = np.minimum(x.law(cut, hot=hot), 0.0)
    follows = np.exp(np.concatenate(((0.0,), np.cumsum(log_q))))
    leaves = follows[:-1] * -np.expm1(log_q)
    if certain:
        return cut + dice.pick(leaves) if leaves.any() else None
    i = dice.pick(np.concatenate((leaves, follows[-1:])))
    return None if i == len(log_q) else cut + i


def fresh_from(x: Completion, cut: int, rules: Rules) -> int | None:
    """The first observation after the cut whose chance a redraw draws anew; None: there is none."""
    if not rules.fresh:
        return None
    after = np.flatnonzero(x.observed[cut:])
    return cut + int(after[0]) if len(after) else None


def divergence(x: Completion, y: Completion, anew: int | None = None) -> int | None:
    """First position at which two completions differ, the shorter one's end included; None if equal.

    anew: what follows here was drawn anew, and counts as other than x even where it says the same.
    """
    if x == y and anew is None:
        return None
    pairs = zip(x.tokens, y.tokens, strict=False)
    first = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(x), len(y)))
    return first if anew is None else min(first, anew)
