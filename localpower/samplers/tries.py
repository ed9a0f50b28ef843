"""Several proposals a step, one of which is picked by its weight: multiple-try Metropolis.

Target   p(x | prompt)^alpha, left exactly invariant.
Step     cut c ~ kappa(. | x); y_1 ... y_K, each x[:c] and a suffix drawn from q to its end or to the horizon;
         w_j = exp(log_w(y_j) - log_w(x)) kappa(c | y_j) / kappa(c | x); j is picked with probability w_j / W, W their
         sum, and accepted with probability min(1, W / (W - w_j + 1)). The proposals depend on x by its prefix alone,
         so that the others serve as the references of the way back.
Savers   The skip, for each try by itself. A weight is needed whole, so none is given up early.
Source   Guo et al., arXiv 2606.09926, eqs. 6 and 7, as quoted where we read them; they lack kappa, without which the
         law is wrong once lengths vary (tests/mutants.py).
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from localpower.chance import Dice
from localpower.completion import PLAIN, Completion, Rules, extend
from localpower.drafts import Drafts
from localpower.model import Model, Tokens
from localpower.samplers.cuts import CutLaw
from localpower.samplers.kernel import ALL_SAVERS, ChainState, Savers, StepInfo, divergence, part
from localpower.samplers.prefetch import in_order
from localpower.samplers.race import Form, Race


def step_of_tries(
    dice: Dice,
    state: ChainState,
    model: Model,
    prompt: Tokens,
    *,
    alpha: float,
    temperature: float,
    cuts: CutLaw,
    form: Form,
    rules: Rules = PLAIN,
    savers: Savers = ALL_SAVERS,
    drafts: Drafts | None = None,
    allowance: int | None = None,
) -> tuple[ChainState, StepInfo] | None:
    """One step of `form.tries` proposals, drawn in one batch. None: nothing was drawn, so nothing can be redrawn."""
    x, horizon = state
    if x.n_drawn == 0:
        return None
    cut = cuts.pick(dice, x)
    threshold = dice.threshold()

    def propose(own: Dice, model: Model) -> tuple[Completion, Race, int]:
        parting = part(own, x, cut) if savers.skip else cut
        if parting is None:
            return x, Race(threshold, x, cut, len(x), alpha, cuts, rules, form), 0
        each = None if allowance is None else allowance // form.tries
        race = Race(threshold, x, cut, parting, alpha, cuts, rules, form, each).without_bounds()
        y = extend(
            own,
            model,
            prompt,
            x.head(parting),
            horizon,
            temperature=temperature,
            rules=rules,
            unlike=x.tokens[parting] if savers.skip else None,
            watch=race,
            drafts=drafts,
        )
        return y, race, y.tail(parting).n_drawn

    tasks = (partial(propose, dice.spawn(k)) for k in range(form.tries))
    tried: list[tuple[Completion, Race, int]] = list(in_order(model, tasks, form.tries))
    logs = np.array([race.log_ratio(unfinished=False) for _, race, _ in tried])
    j = dice.spawn(form.tries).pick(np.exp(logs - logs.max()))
    y, race, _ = tried[j]
    log_others = log_sum(np.delete(logs, j))
    log_ratio = acceptance(float(logs[j]), log_others)
    accepted = threshold.below(log_ratio)
    info = StepInfo(
        cut,
        y,
        divergence(x, y),
        threshold.log_u,
        race.log_w_x,
        race.log_w,
        cuts.log_kappa(x, cut),
        race.log_kappa(unfinished=False),
        log_ratio,
        accepted,
        False,
        sum(n for _, _, n in tried),
        log_others,
        any(race.spent for _, race, _ in tried),
    )
    return ChainState(y if accepted else x, horizon), info


def acceptance(log_weight: float, log_others: float) -> float:
    """log of W / (W - w + 1), W = w + others: weights of the picked try and of the others, over the state's."""
    return float(np.logaddexp(log_weight, log_others) - np.logaddexp(0.0, log_others))


def log_sum(logs: np.ndarray) -> float:
    """log of the sum of exp(logs), nats; at least one."""
    top = float(logs.max())
    return top + math.log(float(np.exp(logs - top).sum()))
