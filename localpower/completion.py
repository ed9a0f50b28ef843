"""An answer being written: its tokens, what they cost under p and q, and when it ends."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from localpower.chance import Dice
from localpower.drafts import Ahead, NgramDrafter
from localpower.model import Model, Tokens, context_of
from localpower.numerics import TokenDistribution
from localpower.rules import PLAIN, After, Rules, TokenObserver
from localpower.written import Completion, Floats, frozen

__all__ = ["PLAIN", "Completion", "Floats", "Pen", "Rules", "TokenObserver", "Writer", "extend"]


def _without(weights: NDArray[np.floating], token: int) -> NDArray[np.floating]:
    others = weights.copy()
    others[token] = 0.0
    return others if others.any() else weights


class Writer:
    """A completion while it grows towards `horizon`, which may be put further."""

    def __init__(
        self,
        start: Completion,
        horizon: int,
        eos: frozenset[int],
        rules: Rules = PLAIN,
    ) -> None:
        self.tokens = list(start.tokens)
        self.ended = start.ended
        self.horizon, self._start, self._eos, self._rules = horizon, start, eos, rules
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
        return self.ended or self.n_counted >= self.horizon

    def write_given(self, dice: Dice) -> Tokens:
        """Write the tokens that must follow, none where one is to be drawn; returns them. dice: of an environment."""
        if self._rules.given is PLAIN.given and not self._asks:
            return ()
        before = len(self.tokens)
        while not self.complete:
            if self._asks:
                self._observe(dice)
            elif (token := self._rules.given(context_of(self._rules.given, self.tokens))) is not None:
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
        return self._rules.ended(context_of(self._rules.ended, self.tokens, self._run_start))

    def _after(self) -> After:
        """What follows the last drawn token of a trace."""
        turns = self._rules.turns
        assert turns is not None
        turn, end = context_of(turns, self.tokens, self._turn_start), self.tokens[-1] in self._eos
        return turns.after(turn, self._rounds, end=end)

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

    def tail(self, since: int) -> Completion:
        """What has been written from position `since` on, none of which is of the start."""
        i = since - len(self._start)
        log_p, log_q, entropy = (
            frozen(values[i:], np.float64) for values in (self._log_p, self._log_q, self._entropy)
        )
        given, world = frozen(self._given[i:], np.bool_), frozen(self._world[i:], np.int64)
        return Completion(tuple(self.tokens[since:]), self.ended, log_p, log_q, entropy, given, world)

    def completion(self) -> Completion:
        """What has been written, and the start before it."""
        return self._start.join(self.tail(len(self._start)))


class Pen:
    """Draws the tokens of an answer, one stretch after another.

    Exact for its own law q: every token comes from the full vocabulary.
    """

    def __init__(
        self,
        dice: Dice,
        model: Model,
        prompt: Tokens,
        start: Completion,
        *,
        temperature: float,
        rules: Rules = PLAIN,
        drafts: NgramDrafter | None = None,
    ) -> None:
        """drafts: rows are asked for ahead where it guesses what comes; changes nothing but the batches."""
        self._dice = dice
        self.writer = Writer(start, start.n_counted, model.eos, rules)
        self._ahead = Ahead(model, drafts, [*prompt, *start.tokens], temperature)

    def write(
        self, until: int, *, unlike: int | None = None, hot: bool = False, watch: TokenObserver | None = None
    ) -> None:
        """Draw until the answer ends, is `until` long, or `watch` stops it. The others as in `extend`."""
        writer, ahead = self.writer, self._ahead
        writer.horizon = until
        while True:
            for token in writer.write_given(self._dice):
                ahead.wrote(token, given=True)
            if writer.complete:
                break
            row = ahead.row(until - writer.n_counted)
            numbers = writer.draw(self._dice, row, unlike, hot=hot)
            unlike, hot = None, False
            ahead.wrote(writer.tokens[-1])
            complete, position = writer.complete, len(writer.tokens) - 1
            if watch is not None and watch.drawn(position, *numbers, complete=complete) and not complete:
                break
        ahead.close()


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
) -> Completion:
    """Draw tokens after `start` from p^(1/temperature) until the answer ends, is `horizon` long, or `watch` stops it.

    A complete `start` comes back as it is.

    unlike: the first token drawn is another than this one, in proportion to q; where rounding leaves no other token
    any weight, it is drawn like the rest. hot: that token is drawn from p itself. Either way its log_q is q's.
    drafts: as in `Pen`.
    """
    if start.complete_at(horizon):
        return start
    pen = Pen(dice, model, prompt, start, temperature=temperature, rules=rules, drafts=drafts)
    pen.write(horizon, unlike=unlike, hot=hot, watch=watch)
    return pen.writer.completion()
