"""What was written after a prompt, as a value: tokens, and the numbers that were recorded when each was drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from localpower.model import Tokens

Floats = NDArray[np.float64]
_COLUMNS: dict[str, Any] = {
    **dict.fromkeys(("log_p", "log_q", "entropy"), np.float64),
    **{"given": np.bool_, "world": np.int64},
}


def frozen(values: Any, dtype: Any) -> NDArray[Any]:
    """A column of a completion: a copy, not to be written to."""
    return _kept(np.array(values, dtype=dtype))


def _kept(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array


@dataclass(frozen=True, slots=True, eq=False)
class Completion:
    """Tokens after the prompt, with the numbers recorded once, when each was drawn.

    log_p, log_q, entropy: (len,) float64, nats: base model, the sampler's proposal law, base entropy. The token at a
    hot cut (samplers/kernel.py) is drawn from p; its log_q is that of the proposal law all the same.
    given: (len,) bool. A given token (tool output, forced text) was not drawn but conditioned on: its
    log_p, log_q and entropy are 0, it is never a cut and is not counted in `n_drawn`.
    ended: the last token is an end token or completes a stop; it is part of `tokens`. Of a trace: nothing follows.
    world: (len,) int64. Of a token that an environment answered (an observation, which is given too) the number that
    its chance was drawn as, 0 where it is fixed; -1 of every other token. A horizon does not count observations.
    """

    tokens: Tokens = ()
    ended: bool = False
    log_p: Floats = field(default_factory=lambda: frozen((), np.float64))
    log_q: Floats = field(default_factory=lambda: frozen((), np.float64))
    entropy: Floats = field(default_factory=lambda: frozen((), np.float64))
    given: NDArray[np.bool_] = field(default_factory=lambda: frozen((), np.bool_))
    world: NDArray[np.int64] = field(default_factory=lambda: frozen((), np.int64))

    def __post_init__(self) -> None:
        """Where nobody says anything of an environment there is none."""
        if len(self.world) != len(self.tokens):
            object.__setattr__(self, "world", frozen(np.full(len(self.tokens), -1), np.int64))

    def __len__(self) -> int:
        return len(self.tokens)

    def __eq__(self, other: object) -> bool:
        """Completions are equal by what they say: same tokens, same end, same chance of the environment."""
        if not isinstance(other, Completion):
            return NotImplemented
        mine, its = ((x.tokens, x.ended, x.world.tobytes()) for x in (self, other))
        return mine == its

    def __hash__(self) -> int:
        return hash((self.tokens, self.ended))

    @property
    def n_drawn(self) -> int:
        """How many tokens were drawn (n_x in the formulas)."""
        return len(self.tokens) - int(self.given.sum())

    @property
    def observed(self) -> NDArray[np.bool_]:
        """(len,) bool: which tokens an environment answered."""
        return self.world >= 0

    @property
    def n_counted(self) -> int:
        """How many tokens a horizon counts: all but observations."""
        return len(self.tokens) - int(self.observed.sum())

    @property
    def rounds(self) -> list[tuple[int, int]]:
        """(begin, end) of each observation, in order."""
        edges = np.flatnonzero(np.diff(np.concatenate(((0,), self.observed.astype(np.int8), (0,)))))
        return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))

    @property
    def last_turn(self) -> Tokens:
        """What follows the last observation; all of it where there is none."""
        rounds = self.rounds
        return self.tokens[rounds[-1][1] if rounds else 0 :]

    def total_log_p(self) -> float:
        """log p(completion | prompt), nats."""
        return float(self.log_p.sum())

    def log_w(self, alpha: float, since: int = 0, *, hot: bool = False) -> float:
        """Sum of alpha * log_p - log_q over positions >= since (0-based): the suffix's log-weight.

        hot: the token at `since` is drawn from p: its term is (alpha - 1) * log_p.
        Between the proposal temperatures 1/alpha and 1 no token's term is above 0 (algorithms: Lemma 0); rounding
        that says otherwise is clamped, and terms are added in order, so that a longer suffix never weighs more.
        """
        terms = np.minimum(alpha * self.log_p[since:] - self.law(since, hot=hot), 0.0)
        return float(np.add.accumulate(terms)[-1]) if len(terms) else 0.0

    def law(self, since: int, *, hot: bool = False) -> Floats:
        """log q of each token from `since` on, where hot the first of them as drawn from p: (len - since,)."""
        if not hot:
            return self.log_q[since:]
        return np.concatenate((self.log_p[since : since + 1], self.log_q[since + 1 :]))

    def complete_at(self, horizon: int) -> bool:
        """Whether this is a state of the target at `horizon`: ended, or exactly that long."""
        return self.ended or self.n_counted >= horizon

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
            self.world[span],
        )

    def join(self, suffix: Completion) -> Completion:
        """This completion followed by `suffix`."""
        both = ((getattr(self, name), getattr(suffix, name), dtype) for name, dtype in _COLUMNS.items())
        columns = (_kept(np.concatenate((a, b), dtype=dtype)) for a, b, dtype in both)
        return Completion(self.tokens + suffix.tokens, suffix.ended, *columns)
