"""An answer being written: its tokens, what they cost under p and q, and when it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from localpower.chance import Dice
from localpower.drafts import Ahead, Drafts
from localpower.model import Model, Tokens
from localpower.numerics import weigh

Floats = NDArray[np.float64]


def _frozen(values: Any, dtype: Any) -> NDArray[Any]:
    array = np.array(values, dtype=dtype)
    array.flags.writeable = False
    return array


@dataclass(frozen=True, slots=True, eq=False)
class Completion:
    """Tokens after the prompt, with the numbers recorded once, when each was drawn.

    log_p, log_q, entropy: (len,) float64, nats: base model, proposal that drew the token, base entropy.
    given: (len,) bool. A given token (tool output, forced text) was not drawn but conditioned on: its
    log_p, log_q and entropy are 0, it is never a cut and is not counted in `n_drawn`.
    ended: the last token is an end token or completes a stop; it is part of `tokens`.
    """

    tokens: Tokens = ()
    ended: bool = False
    log_p: Floats = field(default_factory=lambda: _frozen((), np.float64))
    log_q: Floats = field(default_factory=lambda: _frozen((), np.float64))
    entropy: Floats = field(default_factory=lambda: _frozen((), np.float64))
    given: NDArray[np.bool_] = field(default_factory=lambda: _frozen((), np.bool_))

    def __len__(self) -> int:
        return len(self.tokens)

    def __eq__(self, other: object) -> bool:
        """Completions are equal by what they say: same tokens, same end."""
        if not isinstance(other, Completion):
            return NotImplemented
        return self.tokens == other.tokens and self.ended == other.ended

    def __hash__(self) -> int:
        return hash((self.tokens, self.ended))

    @property
    def n_drawn(self) -> int:
        """How many tokens were drawn (n_x in the formulas)."""
        return len(self.tokens) - int(self.given.sum())

    def total_log_p(self) -> float:
        """log p(completion | prompt), nats."""
        return float(self.log_p.sum())

    def log_w(self, alpha: float, since: int = 0) -> float:
        """Sum of alpha * log_p - log_q over positions >= since (0-based): the suffix's log-weight.

        Between the proposal temperatures 1/alpha and 1 no token's term is above 0 (algorithms: Lemma 0); rounding
        that says otherwise is clamped, and terms are added in order, so that a longer suffix never weighs more.
        """
        terms = np.minimum(alpha * self.log_p[since:] - self.log_q[since:], 0.0)
        return float(np.add.accumulate(terms)[-1]) if len(terms) else 0.0

    def complete_at(self, horizon: int) -> bool:
        """Whether this is a state of the target at `horizon`: ended, or exactly that long."""
        return self.ended or len(self.tokens) >= horizon

    def head(self, length: int) -> Completion:
        """The first `length` tokens, unfinished."""
        return self._part(slice(0, length), ended=False)

    def tail(self, since: int) -> Completion:
        """The tokens from position `since` on, with their numbers: what an event records."""
        return self._part(slice(since, None), ended=self.ended)

    def _part(self, span: slice, *, ended: bool) -> Completion:
        return Completion(
            self.tokens[span],
            ended,
            self.log_p[span],
            self.log_q[span],
            self.entropy[span],
            self.given[span],
        )

    def join(self, suffix: Completion) -> Completion:
        """This completion followed by `suffix`."""
        return Completion(
            self.tokens + suffix.tokens,
            suffix.ended,
            _frozen(np.concatenate((self.log_p, suffix.log_p)), np.float64),
            _frozen(np.concatenate((self.log_q, suffix.log_q)), np.float64),
            _frozen(np.concatenate((self.entropy, suffix.entropy)), np.float64),
            _frozen(np.concatenate((self.given, suffix.given)), np.bool_),
        )


def _never_ended(tokens: Tokens) -> bool:
    return False


def _nothing_given(tokens: Tokens) -> int | None:
    return None


@dataclass(frozen=True, slots=True)
class Rules:
    """What besides the model's end tokens shapes an answer. Both are functions of the tokens alone.

    ended(tokens): whether the last of these consecutively drawn tokens completes a stop.
    given(tokens): the token that must follow this completion (tool output, forced text), or None to draw.
    """

    ended: Callable[[Tokens], bool] = _never_ended
    given: Callable[[Tokens], int | None] = _nothing_given


PLAIN = Rules()


def _without(weights: NDArray[np.floating], token: int) -> NDArray[np.floating]:
    others = weights.copy()
    others[token] = 0.0
    return others if others.any() else weights


class Watch(Protocol):
    """Hears of every token as it is drawn."""

    def drawn(self, position: int, log_p: float, log_q: float, entropy: float, *, complete: bool) -> bool:
        """Whether to stop here; not heeded when the answer is complete anyway."""


def extend(
    dice: Dice,
    model: Model,
    prompt: Tokens,
    start: Completion,
    horizon: int,
    *,
    temperature: float,
    rules: Rules = PLAIN,
    unlike: int | None = None,
    watch: Watch | None = None,
    drafts: Drafts | None = None,
) -> Completion:
    """Draw tokens after `start` from p^(1/temperature) until the answer ends, is `horizon` long, or `watch` stops it.

    Exact for its own law q: every token comes from the full vocabulary, nothing is truncated. An
    already complete `start` comes back as it is.

    unlike: the first token drawn is another than this one, in proportion to q; its recorded log_q is q's all the
    same. Where rounding leaves no other token any weight, it is drawn like the rest.
    drafts: rows are asked for ahead where it guesses what comes; changes nothing but the batches.
    """
    if start.complete_at(horizon):
        return start
    tokens = list(start.tokens)
    log_p, log_q = start.log_p.tolist(), start.log_q.tolist()
    entropy, given = start.entropy.tolist(), start.given.tolist()
    run_start = 1 + max((i for i, g in enumerate(given) if g), default=-1)
    ended, ahead = False, Ahead(model, drafts, prompt + start.tokens)
    while len(tokens) < horizon and not ended:
        so_far = tuple(tokens)
        forced = rules.given(so_far)
        if forced is not None:
            token, numbers = forced, (0.0, 0.0, 0.0)
            run_start = len(tokens) + 1
        else:
            row = weigh(ahead.row(horizon - len(tokens)), temperature)
            token = dice.pick(row.weights if unlike is None else _without(row.weights, unlike))
            unlike = None
            numbers = (row.log_p(token), row.log_q(token), row.entropy)
        tokens.append(token)
        ahead.wrote(token)
        log_p.append(numbers[0])
        log_q.append(numbers[1])
        entropy.append(numbers[2])
        given.append(forced is not None)
        if forced is None:
            ended = token in model.eos or rules.ended(tuple(tokens[run_start:]))
            complete = ended or len(tokens) == horizon
            position = len(tokens) - 1
            if watch is not None and watch.drawn(position, *numbers, complete=complete) and not complete:
                break
    ahead.close()
    return Completion(
        tuple(tokens),
        ended,
        _frozen(log_p, np.float64),
        _frozen(log_q, np.float64),
        _frozen(entropy, np.float64),
        _frozen(given, np.bool_),
    )
