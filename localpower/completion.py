"""An answer being written: its tokens, what they cost under p and q, and when it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from localpower.chance import Dice
from localpower.drafts import Ahead, NgramDrafter
from localpower.model import Model, Tokens, context_of
from localpower.numerics import TokenDistribution
from localpower.rules import PLAIN, After, Rules, TokenObserver

__all__ = ["PLAIN", "Completion", "Floats", "Rules", "TokenObserver", "Writer", "extend"]
Floats = NDArray[np.float64]


def _frozen(values: Any, dtype: Any) -> NDArray[Any]:
    array = np.array(values, dtype=dtype)
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
    log_p: Floats = field(default_factory=lambda: _frozen((), np.float64))
    log_q: Floats = field(default_factory=lambda: _frozen((), np.float64))
    entropy: Floats = field(default_factory=lambda: _frozen((), np.float64))
    given: NDArray[np.bool_] = field(default_factory=lambda: _frozen((), np.bool_))
    world: NDArray[np.int64] = field(default_factory=lambda: _frozen((), np.int64))

    def __post_init__(self) -> None:
        """Where nobody says anything of an environment there is none."""
        if len(self.world) != len(self.tokens):
            object.__setattr__(self, "world", _frozen(np.full(len(self.tokens), -1), np.int64))

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
        return Completion(
            self.tokens + suffix.tokens,
            suffix.ended,
            _frozen(np.concatenate((self.log_p, suffix.log_p)), np.float64),
            _frozen(np.concatenate((self.log_q, suffix.log_q)), np.float64),
            _frozen(np.concatenate((self.entropy, suffix.entropy)), np.float64),
            _frozen(np.concatenate((self.given, suffix.given)), np.bool_),
            _frozen(np.concatenate((self.world, suffix.world)), np.int64),
        )


def _without(weights: NDArray[np.floating], token: int) -> NDArray[np.floating]:
    others = weights.copy()
    others[token] = 0.0
    return others if others.any() else weights


class Writer:
    """A completion while it grows towards `horizon`."""

    def __init__(
        self,
        start: Completion,
        horizon: int,
        eos: frozenset[int],
        rules: Rules = PLAIN,
    ) -> None:
        self.tokens = list(start.tokens)
        self.ended = start.ended
        self._start, self._horizon, self._eos, self._rules = start, horizon, eos, rules
        self._log_p: list[float] = []  # of what is written here: answers grow in many short pieces
        self._log_q: list[float] = []
        self._entropy: list[float] = []
        self._given: list[bool] = []
        self._world: list[int] = []
        given = np.flatnonzero(start.given)
        self._run_start = int(given[-1]) + 1 if len(given) else 0
        self.n_counted, self._rounds = start.n_counted, len(start.rounds)
        self._turn_start = len(self.tokens) - len(start.last_turn)
        drawn_last = bool(self.tokens) and not start.given[-1]
        self._asks = rules.turns is not None and drawn_last and not self.ended and self._after() == "asks"

    @property
    def complete(self) -> bool:
        """Whether nothing can follow within the horizon."""
        return self.ended or self.n_counted >= self._horizon

    def write_given(self, dice: Dice) -> Tokens:
        """Write the tokens that must follow, none where one is to be drawn; returns them. dice: of an environment."""
        if self._rules.given is PLAIN.given and not self._asks:
            return ()
        before = len(self.tokens)
        while not self.complete:
            if self._asks:
                self._observe(dice)
            elif (token := self._rules.given(tuple(self.tokens))) is not None:
                self._write(token, (0.0, 0.0, 0.0), given=True)
            else:
                break
            self._run_start = len(self.tokens)
        return tuple(self.tokens[before:])

    def _observe(self, dice: Dice) -> None:
        """Write what the environment answers."""
        turns = self._rules.turns
        assert turns is not None
        chance = dice.pick(np.ones(turns.chances)) if turns.chances > 1 else 0
        for token in turns.reply(self.completion(), chance):
            self._write(token, (0.0, 0.0, 0.0), given=True, chance=chance)
        self._rounds, self._turn_start, self._asks = self._rounds + 1, len(self.tokens), False

    def draw(
        self,
        dice: Dice,
        row: TokenDistribution,
        unlike: int | None = None,
        *,
        hot: bool = False,
        recorded: TokenDistribution | None = None,
    ) -> tuple[float, float, float]:
        """Draw a token from a row, where hot from p itself; its log p, log q and the entropy there, nats.

        recorded: the row as weighed by the law whose log q is recorded; None: by the one that draws.
        """
        weights = row.base() if hot else row.weights
        if unlike is not None:
            token = dice.pick(_without(weights, unlike))
        else:
            token = dice.pick(weights, None if hot else row.sums)
        numbers = (row.log_p(token), (recorded or row).log_q(token), row.entropy)
        self._write(token, numbers, given=False)
        if self._rules.turns is None:
            self.ended = token in self._eos or self._completes_a_stop()
        else:
            after = "over" if self._completes_a_stop() else self._after()
            self.ended, self._asks = after == "over", after == "asks"
        return numbers

    def _completes_a_stop(self) -> bool:
        if self._rules.ended is PLAIN.ended:
            return False
        if self._run_start:
            return self._rules.ended(tuple(self.tokens[self._run_start :]))
        return self._rules.ended(context_of(self._rules.ended, self.tokens))

    def _after(self) -> After:
        """What follows the last drawn token of a trace."""
        assert self._rules.turns is not None
        turn, end = tuple(self.tokens[self._turn_start :]), self.tokens[-1] in self._eos
        return self._rules.turns.after(turn, self._rounds, end=end)

    def _write(
        self, token: int, numbers: tuple[float, float, float], *, given: bool, chance: int = -1
    ) -> None:
        columns: tuple[list[Any], ...] = (
            self.tokens,
            self._log_p,
            self._log_q,
            self._entropy,
            self._given,
            self._world,
        )
        for values, value in zip(columns, (token, *numbers, given, chance), strict=True):
            values.append(value)
        self.n_counted += chance < 0

    def completion(self) -> Completion:
        """What has been written."""
        start = self._start
        return Completion(
            tuple(self.tokens),
            self.ended,
            _frozen(np.concatenate((start.log_p, self._log_p)), np.float64),
            _frozen(np.concatenate((start.log_q, self._log_q)), np.float64),
            _frozen(np.concatenate((start.entropy, self._entropy)), np.float64),
            _frozen(np.concatenate((start.given, np.array(self._given, np.bool_))), np.bool_),
            _frozen(np.concatenate((start.world, np.array(self._world, np.int64))), np.int64),
        )


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
    hot: bool = False,
    watch: TokenObserver | None = None,
    drafts: NgramDrafter | None = None,
    text: list[int] | None = None,
) -> Completion:
    """Draw tokens after `start` from p^(1/temperature) until the answer ends, is `horizon` long, or `watch` stops it.

    Exact for its own law q: every token comes from the full vocabulary. A complete `start` comes back as it is.

    unlike: the first token drawn is another than this one, in proportion to q; where rounding leaves no other token
    any weight, it is drawn like the rest. hot: that token is drawn from p itself. Either way its log_q is q's.
    drafts: rows are asked for ahead where it guesses what comes; changes nothing but the batches.
    text: prompt and `start` as a list that grows with the answer: a long one is not copied for each piece of it.
    """
    if start.complete_at(horizon):
        return start
    writer = Writer(start, horizon, model.eos, rules)
    ahead = Ahead(model, drafts, [*prompt, *start.tokens] if text is None else text, temperature)
    while True:
        for token in writer.write_given(dice):
            ahead.wrote(token, given=True)
        if writer.complete:
            break
        row = ahead.row(horizon - writer.n_counted)
        numbers = writer.draw(dice, row, unlike, hot=hot)
        unlike, hot = None, False
        ahead.wrote(writer.tokens[-1])
        complete, position = writer.complete, len(writer.tokens) - 1
        if watch is not None and watch.drawn(position, *numbers, complete=complete) and not complete:
            break
    ahead.close()
    return writer.completion()
