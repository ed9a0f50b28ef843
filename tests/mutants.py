"""Wrong kernels, each a fault found in published code (algorithms of the released MH script and its copies).

The enumeration test must catch every one of them: a suite that lets one through proves nothing.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from unittest.mock import patch

from localpower.completion import extend
from localpower.samplers import acceptance, kernel
from localpower.samplers.acceptance import HOT_CUT, AcceptanceRatio, StepVariant
from localpower.samplers.cuts import EntropyCuts, RestartCuts, UniformCuts
from localpower.samplers.kernel import Kernel


def _decide(dice, state, x, y, cut, log_ratio):
    accepted = dice.threshold().below(log_ratio)
    info = kernel.StepInfo(
        cut, y, kernel.divergence(x, y), 0.0, 0.0, 0.0, 0.0, 0.0, log_ratio, accepted, False, 0
    )
    return kernel.ChainState(y if accepted else x, state.horizon), info


def _kernel(ratio, horizon=lambda x, horizon: horizon):
    """A kernel whose proposal horizon and log ratio are the given functions."""

    class Wrong(Kernel):
        def step(self, dice, state, model, prompt):
            x = state.completion
            cut = self.cuts.pick(dice, x)
            longest, temperature = horizon(x, state.horizon), self.temperature
            y = extend(dice, model, prompt, x.head(cut), longest, temperature=temperature, rules=self.rules)
            return _decide(dice, state, x, y, cut, ratio(x, y, cut, self.alpha, self.cuts))

    return Wrong


def _right(x, y, cut, alpha, cuts):
    kappa = cuts.log_kappa(y, cut) - cuts.log_kappa(x, cut)
    return y.log_w(alpha, cut) - x.log_w(alpha, cut) + kappa


def _suffix_sum(x, cut, stop, alpha):
    return float((alpha * x.log_p[cut:stop] - x.log_q[cut:stop]).sum())


def _no_length_term(x, y, cut, alpha, cuts):
    return y.log_w(alpha, cut) - x.log_w(alpha, cut)


def _truncated_current(x, y, cut, alpha, cuts):
    """The state's sums are cut at the proposal's length, as in `cur = arrays[idx-c : s-c]`."""
    return y.log_w(alpha, cut) - _suffix_sum(x, cut, len(y), alpha)


def _length_term_upside_down(x, y, cut, alpha, cuts):
    kappa = cuts.log_kappa(x, cut) - cuts.log_kappa(y, cut)
    return y.log_w(alpha, cut) - x.log_w(alpha, cut) + kappa


def _wrong_sign_of_q(x, y, cut, alpha, cuts):
    """exp(alpha * dlogp + dlogq), as one public patch has it."""
    target = alpha * (float(y.log_p[cut:].sum()) - float(x.log_p[cut:].sum()))
    proposal = float(y.log_q[cut:].sum()) - float(x.log_q[cut:].sum())
    return target + proposal + cuts.log_kappa(y, cut) - cuts.log_kappa(x, cut)


def _length_normalised(x, y, cut, alpha, cuts):
    return y.log_w(alpha, cut) / (len(y) - cut) - x.log_w(alpha, cut) / (len(x) - cut)


def _current_length(x, horizon):
    """Proposals run to the length of the current answer, never beyond: t = len(gen)."""
    return len(x)


MUTANTS = {
    "length term forgotten": _kernel(_no_length_term),
    "length term upside down": _kernel(_length_term_upside_down),
    "state's sums truncated at the proposal's end": _kernel(_truncated_current),
    "proposal capped at the current length": _kernel(_right, _current_length),
    "released code: capped, truncated, no length term": _kernel(_truncated_current, _current_length),
    "proposal term with the wrong sign": _kernel(_wrong_sign_of_q),
    "length-normalised ratio": _kernel(_length_normalised),
    "every proposal accepted": _kernel(lambda *_: 0.0),
}


class _RestartAsUniform(RestartCuts):
    """Restarts with the factor n_x/n_y everywhere, at the first token too."""

    log_share = UniformCuts.log_share


class _RestartWithoutFactor(RestartCuts):
    """Restarts with the factor 1 at the first token."""

    def log_share(self, rank, gain, total):
        return 0.0 if rank == 1 else super().log_share(rank, gain, total)


class _EntropyWithoutFactor(EntropyCuts):
    """Entropy cuts whose own law is left out of the ratio."""

    def log_share(self, rank, gain, total):
        return 0.0


class _UniformBound(kernel.AcceptanceRatio):
    """Gives up by the bound of the uniform law, log n_x/m, whatever the law is."""

    def __init__(self, threshold, x, *rest):
        super().__init__(threshold, x, *rest)
        self._n_x = x.n_drawn

    def log_kappa(self, *, unfinished):
        if unfinished:
            return self.log_kappa_x + math.log(self._n_x / (self._n + 1))
        return super().log_kappa(unfinished=False)


class _NoTermInBound(kernel.AcceptanceRatio):
    """Gives up as if kappa(cut | y) were kappa(cut | x), though shorter answers may still come."""

    def log_kappa(self, *, unfinished):
        return self.log_kappa_x if unfinished else super().log_kappa(unfinished=False)


def _with_ratio(wrong, **variant):
    """The kernel with another acceptance ratio."""

    class Wrong(Kernel):
        def ratio(self, threshold, x, cut, parting, allowance):
            own = (self.alpha, self.cuts, self.rules, self.variant, allowance)
            return wrong(threshold, x, cut, parting, *own)

    return partial(Wrong, variant=StepVariant(**variant))


class _NeverNone:
    """Dice that leave out the last outcome: the proposal must part from the state, and no factor pays for it."""

    def __init__(self, dice):
        self._dice = dice

    def pick(self, weights, sums=None):
        return self._dice.pick(weights[:-1])


class _AlwaysParts(Kernel):
    def part(self, dice, x, cut):
        return super().part(_NeverNone(dice), x, cut)


class _FreeParting(Kernel):
    """Where the proposal parts from the state, the state's own token may come again."""

    def propose(self, *args):
        def forgetful(*args, unlike=None, **options):
            return extend(*args, **options)

        with patch.object(kernel, "extend", forgetful):
            return super().propose(*args)


class _FollowsByP(Kernel):
    """The skip with the base model's probabilities instead of the proposal's."""

    def part(self, dice, x, cut):
        return super().part(dice, replace(x, log_q=x.log_p), cut)


# (kernel, cut law): wrong optimizations and wrong factors of the cut laws.
OPTIMIZATION_MUTANTS = {
    "restart cuts with the uniform factor at the first token": (Kernel, _RestartAsUniform()),
    "restart cuts with no factor at the first token": (Kernel, _RestartWithoutFactor()),
    "restart cuts with the uniform bound": (_with_ratio(_UniformBound), RestartCuts()),
    "uniform cuts without the length in the bound": (_with_ratio(_NoTermInBound), UniformCuts()),
    "entropy cuts without their factor": (Kernel, _EntropyWithoutFactor()),
    "free steps left out": (_AlwaysParts, UniformCuts()),
    "the state's token again where they part": (_FreeParting, UniformCuts()),
    "the skip by p instead of q": (_FollowsByP, UniformCuts()),
}


class _NoFactor(AcceptanceRatio):
    """Metropolised proposals whose certainty to differ is not paid for."""

    def __init__(self, threshold, x, cut, parting, alpha, cuts, rules, variant, allowance):
        super().__init__(threshold, x, cut, parting, alpha, cuts, rules)


class _FactorUpsideDown(AcceptanceRatio):
    """(1 - Q(y)) / (1 - Q(x)) instead of its inverse."""

    def log_ratio(self, *, unfinished):
        right = super().log_ratio(unfinished=unfinished)
        return right - 2 * (self._log_other_x - acceptance.log_other(self._log_q))


class _CertaintyNotInBound(AcceptanceRatio):
    """Gives up as if 1 - Q(y) were 1, though it shrinks the more certain the proposal is so far."""

    def log_ratio(self, *, unfinished):
        right = super().log_ratio(unfinished=unfinished)
        return right + acceptance.log_other(self._log_q) if unfinished else right


# Wrong forms of the step, all with uniform cuts.
VARIANT_MUTANTS = {
    "metropolised without its factor": _with_ratio(_NoFactor, metropolised=True),
    "metropolised with the factor upside down": _with_ratio(_FactorUpsideDown, metropolised=True),
    "metropolised without the factor in the bound": _with_ratio(_CertaintyNotInBound, metropolised=True),
}


class _HotTokenWeighedByQ(AcceptanceRatio):
    """The token at the cut is drawn from p, and weighed as if q had drawn it."""

    def __init__(self, *args):
        super().__init__(*args)
        x, parting = args[1], args[3]
        self._hot, self.log_w_x = -1, x.log_w(args[4], parting)


class _HotSkipByQ(Kernel):
    """Where the proposal parts from the state, as if the token at the cut were drawn from q."""

    def part(self, dice, x, cut):
        return kernel.part(dice, x, cut)


class _HotEverywhere(Kernel):
    """The first token that is evaluated is drawn from p, even where the proposal parts from the state after the cut."""

    def propose(self, *args):
        def hot(*args, hot, **options):
            return extend(*args, hot=True, **options)

        with patch.object(kernel, "extend", hot):
            return super().propose(*args)


class _StatesRecordedAsP(Kernel):
    """As if every token of the state had been drawn at a hot cut once, and each had left log p for its log q."""

    def step(self, dice, state, *args):
        x = state.completion
        return super().step(dice, state._replace(completion=replace(x, log_q=x.log_p)), *args)


HOT_MUTANTS = {
    "the hot token weighed as if q had drawn it": _with_ratio(_HotTokenWeighedByQ, hot_cut=True),
    "the skip by q at a hot cut": partial(_HotSkipByQ, variant=HOT_CUT),
    "a hot token after the cut": partial(_HotEverywhere, variant=HOT_CUT),
    "the hot token recorded as q's": partial(_StatesRecordedAsP, variant=HOT_CUT),
}
