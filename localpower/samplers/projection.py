"""The step of `project.py`: a suffix from the model that was shown an expert's answer, judged, then weighed.

State    x in C: ended within H tokens or exactly H long, and accepted by the verifier. It has two records: log_p (and
         the entropy) under the plain prompt, of which the target is made, and log_q under the expert's prompt, at the
         proposal temperature, which is the law that would draw it again.
Step     cut c ~ kappa(. | x); u ~ U(0,1); y = x[:c] + suffix from q to its end or to H, the same H for every state;
         y is rejected if the verifier rejects it; else accepted iff
         log u < [log_w(y, c) + log kappa(c | y)] - [log_w(x, c) + log kappa(c | x)],
         log_w(x, c) = sum over the *whole* suffix of alpha * log_p - log_q.
Proof    For x, y in C that share x[:c], the flow by this cut is pi(x) kappa(c|x) q(y[c:]) min(1, R), and
         pi(x) / q(x[c:]) is exp(log_w(x, c)) times what x and y share: so it is min of two terms that exchange x and y,
         and the flow back is the same: detailed balance. An answer outside C has pi = 0, so R = 0 is its ratio.
Skip     Where y leaves x is drawn from the recorded log_q (kernel.part): it needs q alone, and what x and y share
         cancels from both sums, of log_p as of log_q.
No early rejection: a term alpha * log_p - log_q is of either sign, since the model that was not shown the answer may
         like a token more, so that a ratio below u may rise again (tests/project_mutants.py has one).
         For the same reason `Completion.log_w`, which takes terms above 0 for rounding, is not used here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from localpower.chance import Dice
from localpower.completion import PLAIN, Completion, Rules, extend
from localpower.errors import UserError
from localpower.methods import Expert
from localpower.model import Model, Tokens, beside, weighed
from localpower.numerics import TokenDistribution
from localpower.samplers.acceptance import NEVER
from localpower.samplers.cuts import CutLaw
from localpower.samplers.kernel import ChainState, StepInfo, divergence, part
from localpower.written import frozen

_AT_ONCE = 32  # rows of one answer in a batch


@dataclass(frozen=True, slots=True)
class ProjectionKernel:
    """The step, as a value. ahead: rows of one answer are evaluated together, where the engine can."""

    alpha: float
    temperature: float
    cuts: CutLaw
    expert: Expert
    rules: Rules = PLAIN
    skip: bool = True
    ahead: bool = False

    def start(self, model: Model, prompt: Tokens, horizon: int) -> tuple[Completion, int]:
        """The expert's answer as a state, and how many tokens were evaluated for it.

        The end token is the one that the model finds likeliest there. Raises UserError that says why, where the answer
        is no state: a chain from there would begin outside of its target.
        """
        given, complete = self.read(model.eos, horizon)
        tokens, n = self.expert.answer, len(given)
        log_p, entropy, log_q = np.zeros(n), np.zeros(n), np.zeros(n)
        places = [i for i in range(n) if not given[i]]
        for i, row in zip(places, self._rows(model, prompt, tokens, places, 1.0), strict=True):
            if i == len(tokens):
                tokens = (*tokens, max(sorted(model.eos), key=row.log_p))
            log_p[i], entropy[i] = row.log_p(tokens[i]), row.entropy
        shown = beside(model, self.expert.prompt)
        laws = self._rows(shown, self.expert.prompt, tokens, places, self.temperature)
        for i, row in zip(places, laws, strict=True):
            log_q[i] = row.log_q(tokens[i])
        if not np.isfinite((log_p, log_q)).all():
            raise UserError("the expert's answer has a token that the model never writes there")
        if not self.expert.accepts(tokens):
            raise UserError("the verifier rejects the expert's answer")
        log_p, log_q, entropy = (frozen(values, np.float64) for values in (log_p, log_q, entropy))
        return Completion(tokens, complete, log_p, log_q, entropy, frozen(given, np.bool_)), 2 * len(places)

    def read(self, eos: frozenset[int], horizon: int) -> tuple[list[bool], bool]:
        """Of each token of the expert's answer, and of its end, whether it is given; and whether it ends at all.

        Raises UserError where the sampler would have written it otherwise.
        """
        tokens, given, since, ended = self.expert.answer, list[bool](), 0, False
        for i, token in enumerate(tokens):
            if ended:
                raise UserError(f"the expert's answer ends early, at token {i} of {len(tokens)}")
            forced = self.rules.given(tokens[:i])
            given.append(forced is not None)
            if forced is not None:
                since = i + 1
            else:
                ended = token in eos or self.rules.ended(tokens[since : i + 1])
            if forced not in (None, token):
                raise UserError(f"the expert's answer lacks a token that must stand at place {i + 1}")
        if not ended and eos and self.rules.given(tokens) is None:
            given.append(False)
            ended = True
        if len(given) > horizon or not (ended or len(given) == horizon):
            raise UserError(
                f"the expert's answer has {len(given)} tokens with its end, and an answer has at most {horizon}"
            )
        return given, ended

    def step(
        self, dice: Dice, state: ChainState, model: Model, prompt: Tokens
    ) -> tuple[ChainState, StepInfo] | None:
        """One step. None: nothing was drawn, so nothing can be redrawn."""
        x, horizon = state
        if x.n_drawn == 0:
            return None
        cut = self.cuts.pick(dice, x)
        threshold = dice.threshold()
        log_kappa_x = self.cuts.log_kappa(x, cut)
        parting = part(dice, x, cut) if self.skip else cut
        if parting is None:
            return state, StepInfo(
                *(cut, x, None, threshold.log_u, 0.0, 0.0, log_kappa_x, log_kappa_x, 0.0),
                accepted=True,
                early=False,
                n_decoded=0,
            )
        y = self.propose(dice, x, parting, model, horizon)
        n_decoded, log_w_x = y.tail(parting).n_drawn, self.log_weight(x, parting)
        right = self.expert.accepts(y.tokens)
        if right:
            beside(model, self.expert.prompt, 2).pin(self.expert.prompt + y.tokens)
            y = self.scored(y, parting, model, prompt)
            log_w_y, log_kappa_y = self.log_weight(y, parting), self.cuts.log_kappa(y, cut)
            log_ratio = max(log_w_y + log_kappa_y - log_w_x - log_kappa_x, NEVER)
        else:
            y, log_w_y, log_kappa_y, log_ratio = _unscored(y, parting), 0.0, 0.0, NEVER
        accepted = right and threshold.below(log_ratio)
        info = StepInfo(
            *(cut, y, divergence(x, y), threshold.log_u),
            *(log_w_x, log_w_y, log_kappa_x, log_kappa_y, log_ratio),
            accepted=accepted,
            early=False,
            n_decoded=n_decoded,
            n_scored=n_decoded if right else 0,
            refused=not right,
        )
        return ChainState(y if accepted else x, horizon), info

    def propose(self, dice: Dice, x: Completion, parting: int, model: Model, horizon: int) -> Completion:
        """x up to `parting`, and what the model writes there when it was shown the expert's answer.

        Its numbers from `parting` on are all of the expert's prompt; only log_q may be used of them.
        """
        return extend(
            dice,
            beside(model, self.expert.prompt),
            self.expert.prompt,
            x.head(parting),
            horizon,
            temperature=self.temperature,
            rules=self.rules,
            unlike=x.tokens[parting] if self.skip else None,
        )

    def scored(self, y: Completion, since: int, model: Model, prompt: Tokens) -> Completion:
        """y with log p and entropy under the plain prompt from `since` on; what is given keeps its zeros."""
        log_p, entropy = y.log_p.copy(), y.entropy.copy()
        places = [i for i in range(since, len(y)) if not y.given[i]]
        for i, row in zip(places, self._rows(model, prompt, y.tokens, places, 1.0), strict=True):
            log_p[i], entropy[i] = max(row.log_p(y.tokens[i]), NEVER), row.entropy
        return replace(y, log_p=frozen(log_p, np.float64), entropy=frozen(entropy, np.float64))

    def log_weight(self, x: Completion, since: int) -> float:
        """Sum of alpha * log_p - log_q over positions >= since: of either sign."""
        return float((self.alpha * x.log_p[since:] - x.log_q[since:]).sum())

    def _rows(
        self, model: Model, prompt: Tokens, tokens: Tokens, places: Sequence[int], temperature: float
    ) -> Iterator[TokenDistribution]:
        """The rows from which each of these places of an answer is drawn; each valid until the next batch."""
        size = _AT_ONCE if self.ahead else 1
        for first in range(0, len(places), size):
            contexts = [prompt + tokens[:i] for i in places[first : first + size]]
            yield from weighed(model, contexts, temperature)


def _unscored(y: Completion, since: int) -> Completion:
    """y without the numbers that the expert's prompt gave it beside log q: they are none of the target's."""
    zeros = np.zeros(len(y) - since)
    log_p, entropy = (np.concatenate((values[:since], zeros)) for values in (y.log_p, y.entropy))
    return replace(y, log_p=frozen(log_p, np.float64), entropy=frozen(entropy, np.float64))
