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

from functools import partial

import numpy as np

from localpower.chance import Dice
from localpower.completion import PLAIN, Rules
from localpower.drafts import Drafts
from localpower.model import Model, Tokens
from localpower.samplers.cuts import CutLaw
from localpower.samplers.kernel import ALL_SAVERS, ChainState, Proposal, Savers, StepInfo, propose, told
from localpower.samplers.prefetch import in_order
from localpower.samplers.race import Form


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

    tasks = [
        partial(
            propose,
            dice.spawn(k),
            state,
            cut,
            threshold,
            prompt=prompt,
            alpha=alpha,
            temperature=temperature,
            cuts=cuts,
            rules=rules,
            savers=savers,
            form=form,
            drafts=drafts,
            allowance=None if allowance is None else allowance // form.tries,
        )
        for k in range(form.tries)
    ]
    tried: list[Proposal] = list(in_order(model, iter(tasks), form.tries))
    logs = np.array([one.race.log_ratio(unfinished=False) for one in tried])
    j = dice.spawn(form.tries).pick(np.exp(logs - logs.max()))
    log_others = float(np.logaddexp.reduce(np.delete(logs, j)))
    log_ratio = acceptance(float(logs[j]), log_others)
    accepted = threshold.below(log_ratio)
    info = told(x, cut, threshold, tried[j], log_ratio, accepted=accepted)._replace(
        n_decoded=sum(one.n_decoded for one in tried),
        log_others=log_others,
        undecided=any(one.race.spent for one in tried),
    )
    return ChainState(tried[j].y if accepted else x, horizon), info


def acceptance(log_weight: float, log_others: float) -> float:
    """log of W / (W - w + 1), W = w + others: weights of the picked try and of the others, over the state's."""
    return float(np.logaddexp(log_weight, log_others) - np.logaddexp(0.0, log_others))
