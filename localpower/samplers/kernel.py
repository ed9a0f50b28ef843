"""One step of the chain: the kernel that mh.py states, and what of it is never computed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from localpower.chance import Dice
from localpower.completion import PLAIN, Completion, Rules, extend
from localpower.drafts import Drafts
from localpower.model import Model, Tokens
from localpower.samplers.cuts import CutLaw
from localpower.samplers.race import PLAIN_FORM, Form, Race


class ChainState(NamedTuple):
    """What the next step needs: a completion that is complete at `horizon`."""

    completion: Completion
    horizon: int


class Savers(NamedTuple):
    """Which savers are on. Off only for comparison: the law is the same, the cost is not."""

    skip: bool = True
    early: bool = True


ALL_SAVERS = Savers()


class StepInfo(NamedTuple):
    """What a human needs. Signs: the plain log_ratio = log_w_y + log_kappa_y - log_w_x - log_kappa_x.

    log_w: sums from the divergence on. early: the proposal was given up unfinished; its terms are the upper bounds
    that decided. log_others: of several tries, the weights of those not picked, summed, over the state's.
    undecided: the allowance ended before the proposal did.
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
    log_others: float | None = None
    undecided: bool = False


def step(
    dice: Dice,
    state: ChainState,
    model: Model,
    prompt: Tokens,
    *,
    alpha: float,
    temperature: float,
    cuts: CutLaw,
    rules: Rules = PLAIN,
    savers: Savers = ALL_SAVERS,
    form: Form = PLAIN_FORM,
    drafts: Drafts | None = None,
    exponents: tuple[float, ...] = (),
    allowance: int | None = None,
) -> tuple[ChainState, StepInfo] | None:
    """One step of the kernel that mh.py states. None: nothing was drawn, so nothing can be redrawn.

    allowance: tokens that it may draw; a proposal that needs more is undecided, and must not be used.
    """
    x, horizon = state
    if x.n_drawn == 0:
        return None
    cut = cuts.pick(dice, x)
    threshold = dice.threshold()
    parting = part(dice, x, cut, certain=form.metropolised) if savers.skip or form.metropolised else cut
    if parting is None:
        return state, free(x, cut, threshold.log_u, cuts.log_kappa(x, cut))
    race = Race(threshold, x, cut, parting, alpha, cuts, rules, form, allowance)
    y = extend(
        dice,
        model,
        prompt,
        x.head(parting),
        horizon,
        temperature=temperature,
        rules=rules,
        unlike=x.tokens[parting] if savers.skip or form.metropolised else None,
        watch=race if savers.early else race.without_bounds(),
        drafts=drafts,
        exponents=exponents,
    )
    early = not y.complete_at(horizon)
    log_ratio = race.log_ratio(unfinished=early)
    accepted = not early and threshold.below(log_ratio)
    info = StepInfo(
        cut,
        y,
        divergence(x, y),
        threshold.log_u,
        race.log_w_x,
        race.log_w,
        cuts.log_kappa(x, cut),
        race.log_kappa(unfinished=early),
        log_ratio,
        accepted,
        early,
        y.tail(parting).n_drawn,
        undecided=race.spent,
    )
    return ChainState(y if accepted else x, horizon), info


def free(x: Completion, cut: int, log_u: float, log_kappa: float) -> StepInfo:
    """A step whose proposal is the state itself: accepted, and nothing was evaluated for it."""
    return StepInfo(cut, x, None, log_u, 0.0, 0.0, log_kappa, log_kappa, 0.0, True, False, 0)


def part(dice: Dice, x: Completion, cut: int, *, certain: bool = False) -> int | None:
    """Where a redraw of x from `cut` on first draws another token than x has there; None: nowhere.

    P(it follows x as far as s) = prod of q(x_j) for cut <= j <= s, by the chain rule: known without a model.
    certain: drawn given that it does part from x; then None only where rounding leaves that no weight.
    """
    log_q = np.minimum(x.log_q[cut:], 0.0)
    follows = np.exp(np.concatenate(((0.0,), np.cumsum(log_q))))
    leaves = follows[:-1] * -np.expm1(log_q)
    if certain:
        return cut + dice.pick(leaves) if leaves.any() else None
    i = dice.pick(np.concatenate((leaves, follows[-1:])))
    return None if i == len(log_q) else cut + i


def divergence(x: Completion, y: Completion) -> int | None:
    """First position at which two completions differ, the shorter one's end included; None if equal."""
    if x == y:
        return None
    pairs = zip(x.tokens, y.tokens, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(x), len(y)))
