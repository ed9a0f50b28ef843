"""Wrong forms of the step of `project`: published faults, shortcuts that look right, and confused prompts.

The enumeration test must catch every one of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from localpower.completion import extend
from localpower.model import beside
from localpower.samplers import projection
from localpower.samplers.kernel import ChainState, part
from localpower.samplers.projection import ProjectionKernel
from tests.samplers.small import PROMPT


def _log_q(kernel, model, prompt, x, since):
    """log q of x under a prompt from a token on."""
    log_q = x.log_q.copy()
    for i in range(since, len(x)):
        row = projection.weighed(model, [prompt + x.tokens[:i]], kernel.temperature)[0]
        log_q[i] = row.log_q(x.tokens[i])
    return log_q


@dataclass(frozen=True, slots=True)
class _Decides(ProjectionKernel):
    """A step without any optimization, whose log ratio `ratio(x, y, cut)` a subclass states."""

    def step(self, dice, state, model, prompt):
        x, horizon = state
        cut = self.cuts.pick(dice, x)
        y = self._drawn(dice, x, cut, model, horizon)
        if not self.expert.accepts(y.tokens):
            return state, None
        return self._decided(dice, state, y, cut, model, prompt)

    def _decided(self, dice, state, y, cut, model, prompt):
        y = self.scored(y, cut, model, prompt)
        accepted = dice.threshold().below(self.ratio(state.completion, y, cut))
        return state._replace(completion=y) if accepted else state, None

    def _drawn(self, dice, x, cut, model, horizon, **more):
        shown, prompt = beside(model, self.expert.prompt), self.expert.prompt
        how = {"temperature": self.temperature, "rules": self.rules, **more}
        return extend(dice, shown, prompt, x.head(cut), horizon, **how)

    def ratio(self, x, y, cut):
        kappa = self.cuts.log_kappa(y, cut) - self.cuts.log_kappa(x, cut)
        return self.log_weight(y, cut) - self.log_weight(x, cut) + kappa


class _NoKappa(_Decides):
    """The published code's omission: longer answers have more places to be cut."""

    def ratio(self, x, y, cut):
        return self.log_weight(y, cut) - self.log_weight(x, cut)


class _WrongSignOfQ(_Decides):
    def log_weight(self, x, since):
        return float((self.alpha * x.log_p[since:] + x.log_q[since:]).sum())


class _NoQ(_Decides):
    """A ratio of the target alone, as if the proposal were symmetric."""

    def log_weight(self, x, since):
        return float(self.alpha * x.log_p[since:].sum())


class _TakenForRounding(_Decides):
    """Terms above 0 cut off, as they are where the proposal is colder than the target."""

    def log_weight(self, x, since):
        return x.log_w(self.alpha, since)


class _Capped(_Decides):
    """Proposals run to the length of the current answer, never beyond."""

    def _drawn(self, dice, x, cut, model, horizon):
        return super()._drawn(dice, x, cut, model, len(x))


class _Greedy(_Decides):
    """Accepted whenever the mean log p rises."""

    def ratio(self, x, y, cut):
        return 0.0 if y.log_p.mean() > x.log_p.mean() else -np.inf


class _JudgedAfterwards(_Decides):
    """The verifier is asked of the text that comes out of a step, and a wrong one is a state until then."""

    def step(self, dice, state, model, prompt):
        x, horizon = state
        cut = self.cuts.pick(dice, x)
        y = self._drawn(dice, x, cut, model, horizon)
        return self._decided(dice, state, y, cut, model, prompt)


class _TriesAgain(_Decides):
    """A wrong proposal is no step: another cut is drawn, once."""

    def step(self, dice, state, model, prompt):
        x, horizon = state
        for _ in range(2):
            cut = self.cuts.pick(dice, x)
            y = self._drawn(dice, x, cut, model, horizon)
            if self.expert.accepts(y.tokens):
                return self._decided(dice, state, y, cut, model, prompt)
        return state, None


class _GivesUpEarly(_Decides):
    """Early rejection, as a power chain has it: given up as soon as the ratio so far is below u."""

    def step(self, dice, state, model, prompt):
        x, horizon = state
        cut, threshold, total = self.cuts.pick(dice, x), dice.threshold(), 0.0
        kappa_x, tokens = self.cuts.log_kappa(x, cut), list(x.tokens[:cut])

        class Watch:
            def drawn(watch, position, log_p, log_q, entropy, *, complete):
                nonlocal total
                row = projection.weighed(shown, [self.expert.prompt + tuple(tokens)], self.temperature)[0]
                plain = projection.weighed(model, [prompt + tuple(tokens)], 1.0)[0]
                picked = next(v for v in range(model.n_vocab) if row.log_q(v) == log_q)
                total += self.alpha * plain.log_p(picked) - log_q
                tokens.append(picked)
                bound = total - self.log_weight(x, cut) + np.log(x.n_drawn / (position + 2))
                return not complete and not threshold.below(bound)

        shown = beside(model, self.expert.prompt)
        y = self._drawn(dice, x, cut, model, horizon, watch=Watch())
        if not y.complete_at(horizon) or not self.expert.accepts(y.tokens):
            return state, None
        y = self.scored(y, cut, model, prompt)
        ratio = self.log_weight(y, cut) - self.log_weight(x, cut) + self.cuts.log_kappa(y, cut) - kappa_x
        return ChainState(y if threshold.below(ratio) else x, horizon), None


class _TargetsTheExpertsPrompt(ProjectionKernel):
    """log p under the prompt that shows the answer, for the proposal; the state has its own."""

    def scored(self, y, since, model, prompt):
        return super().scored(y, since, model, self.expert.prompt)


class _RecordsPlainQ(ProjectionKernel):
    """log q of the proposal under the plain prompt, though the other one drew it."""

    def scored(self, y, since, model, prompt):
        found = super().scored(y, since, model, prompt)
        return replace(found, log_q=_log_q(self, model, prompt, y, since))


class _StatesHavePlainQ(ProjectionKernel):
    """log q of the state under the plain prompt, as if that had drawn it; the skip follows it too."""

    def step(self, dice, state, model, prompt):
        x = state.completion
        wrong = replace(x, log_q=_log_q(self, model, prompt, x, 0))
        return super().step(dice, state._replace(completion=wrong), model, prompt)


class _DrawsFromPlain(ProjectionKernel):
    """The suffix is drawn under the plain prompt, and weighed as if the other one had drawn it."""

    def propose(self, dice, x, parting, model, horizon):
        wrong = replace(self, expert=replace(self.expert, prompt=PROMPT))
        y = ProjectionKernel.propose(wrong, dice, x, parting, model, horizon)
        return replace(y, log_q=_log_q(self, model, self.expert.prompt, y, parting))


class _ExpertsEntropy(ProjectionKernel):
    """The proposal's entropy is that of the prompt that drew it, the state's that of the plain one."""

    def scored(self, y, since, model, prompt):
        return replace(super().scored(y, since, model, prompt), entropy=y.entropy)


class _FollowsByP(ProjectionKernel):
    """The skip by the plain prompt's log p."""

    def step(self, dice, state, model, prompt):
        kept = projection.part
        projection.part = lambda dice, x, cut: part(dice, replace(x, log_q=x.log_p), cut)
        try:
            return super().step(dice, state, model, prompt)
        finally:
            projection.part = kept


class _FreeParting(ProjectionKernel):
    """Where the proposal parts from the state, the state's own token may come again."""

    def propose(self, dice, x, parting, *rest):
        return ProjectionKernel.propose(replace(self, skip=False), dice, x, parting, *rest)


class _SumsFromTheCut(ProjectionKernel):
    """With the skip the state's sum begins at the cut, the proposal's where they part."""

    def step(self, dice, state, model, prompt):
        found, info = super().step(dice, state, model, prompt)
        if info.divergence is None or info.refused:
            return found, info
        wrong = info.log_ratio - self.log_weight(state.completion, info.cut) + info.log_w_x
        accepted = dice.threshold().below(wrong)
        return ChainState(info.proposal if accepted else state.completion, state.horizon), info


PUBLISHED = {
    "accepted whenever the mean log p rises": _Greedy,
    "proposals capped at the current length": _Capped,
    "kappa forgotten": _NoKappa,
}
MUTANTS = {
    **PUBLISHED,
    "proposal term with the wrong sign": _WrongSignOfQ,
    "no proposal term": _NoQ,
    "terms above 0 taken for rounding": _TakenForRounding,
    "the verifier asked after the step": _JudgedAfterwards,
    "a wrong proposal tried again with another cut": _TriesAgain,
    "early rejection": _GivesUpEarly,
    "log p of the proposal under the expert's prompt": _TargetsTheExpertsPrompt,
    "log q of the proposal under the plain prompt": _RecordsPlainQ,
    "log q of the state under the plain prompt": _StatesHavePlainQ,
    "drawn under the plain prompt": _DrawsFromPlain,
    "the skip by p instead of q": _FollowsByP,
    "the state's token again where they part": _FreeParting,
    "the state's sum from the cut, the proposal's from the parting": _SumsFromTheCut,
}
ENTROPY_MUTANTS = {"the entropy of the expert's prompt": _ExpertsEntropy}
