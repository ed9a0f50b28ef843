"""Wrong kernels, each a fault found in published code (algorithms of the released MH script and its copies).

The enumeration test must catch every one of them: a suite that lets one through proves nothing.
"""

from __future__ import annotations

from localpower.completion import PLAIN, extend
from localpower.samplers import mh


def _decide(dice, state, x, y, cut, log_ratio):
    accepted = dice.threshold().below(log_ratio)
    info = mh.StepInfo(cut, y, mh.divergence(x, y), 0.0, 0.0, 0.0, 0.0, 0.0, log_ratio, accepted)
    return mh.ChainState(y if accepted else x, state.horizon), info


def _kernel(ratio, horizon=lambda x, horizon: horizon):
    """A step whose proposal horizon and log ratio are the given functions."""

    def step(dice, state, model, prompt, *, alpha, temperature, cuts, rules=PLAIN):
        x = state.completion
        cut = cuts.pick(dice, x)
        y = extend(
            dice,
            model,
            prompt,
            x.head(cut),
            horizon(x, state.horizon),
            temperature=temperature,
            rules=rules,
        )
        return _decide(dice, state, x, y, cut, ratio(x, y, cut, alpha, cuts))

    return step


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
