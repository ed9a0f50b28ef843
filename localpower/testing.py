"""Proofs for samplers, yours too: every path of the random choices of a function, with its exact probability.

`outcomes(fn)` calls fn(dice) once for each path. `pick` branches over all indices of positive weight, `below` splits
the interval in which the hidden uniform is still known to lie. `assert_invariant` holds a kernel against the law.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator
from typing import Any

import numpy as np

from localpower.chance import Dice
from localpower.completion import PLAIN, Completion, Floats, Rules, extend
from localpower.model import Model, Tokens
from localpower.toy import ToyModel, power_law

Move = Callable[[Dice, Completion, Model, Tokens], Completion]
_TOLERANCE = 1e-12


class Trace:
    """Dice that follow a path of branch numbers and note where other branches exist."""

    def __init__(self, path: list[int]) -> None:
        self._path = path
        self._widths: list[int] = []
        self.probability = 1.0

    def spawn(self, key: int) -> Trace:
        """All chance is of one path."""
        return self

    def _branch(self, probabilities: list[float]) -> int:
        depth = len(self._widths)
        self._widths.append(len(probabilities))
        if depth == len(self._path):
            self._path.append(0)
        chosen = self._path[depth]
        self.probability *= probabilities[chosen]
        return chosen

    def pick(self, weights: Any, sums: Any = None) -> int:
        """Branch over the indices of positive weight."""
        weights = np.asarray(weights, dtype=np.float64)
        possible = np.flatnonzero(weights > 0)
        shares = weights[possible] / weights.sum()
        return int(possible[self._branch(shares.tolist())])

    def threshold(self) -> _Interval:
        """A hidden uniform."""
        return _Interval(self)

    def next_path(self) -> list[int] | None:
        """The branches of the path after this one; None: this was the last."""
        path = self._path[: len(self._widths)]
        while path:
            if path[-1] + 1 < self._widths[len(path) - 1]:
                return [*path[:-1], path[-1] + 1]
            path.pop()
        return None


class _Interval:
    log_u = math.nan

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._low, self._high = 0.0, 1.0

    def below(self, log_x: float) -> bool:
        """Whether log u < log_x: both branches, where u may still be on either side."""
        x = min(math.exp(min(log_x, 1.0)), 1.0)
        if x >= self._high:
            return True
        if x <= self._low:
            return False
        share = (x - self._low) / (self._high - self._low)
        if self._trace._branch([share, 1.0 - share]) == 0:
            self._high = x
            return True
        self._low = x
        return False


def outcomes(fn: Callable[[Trace], Any]) -> Iterator[tuple[Any, float]]:
    """(result, probability) for every path; the probabilities sum to 1."""
    path: list[int] | None = []
    while path is not None:
        trace = Trace(path)
        result = fn(trace)
        yield result, trace.probability
        path = trace.next_path()


def law(fn: Callable[[Trace], Hashable]) -> dict[Hashable, float]:
    """The exact distribution of fn's result."""
    total: defaultdict[Hashable, float] = defaultdict(float)
    for result, probability in outcomes(fn):
        total[result] += probability
    return dict(total)


def states(
    model: Model, prompt: Tokens, horizon: int, temperature: float, rules: Rules = PLAIN
) -> dict[Tokens, Completion]:
    """Every answer within `horizon` with its recorded numbers, by drawing all of them at a temperature."""
    drawn = outcomes(
        lambda dice: extend(dice, model, prompt, Completion(), horizon, temperature=temperature, rules=rules)
    )
    return {x.tokens: x for x, _ in drawn}


def transition_matrix(kernel: Move, known: dict[Tokens, Completion], model: Model, prompt: Tokens) -> Floats:
    """K[i, j], the chance that the kernel takes state i to state j, (n, n + 1); the last column: to no state."""
    order = {tokens: i for i, tokens in enumerate(known)}
    found = np.zeros((len(order), len(order) + 1))
    for tokens, x in known.items():
        for after, probability in outcomes(lambda dice, x=x: kernel(dice, x, model, prompt)):  # type: ignore[misc]
            found[order[tokens], order.get(after.tokens, len(order))] += probability
    return found


def invariance_error(
    kernel: Move,
    model: Model,
    *,
    alpha: float,
    horizon: int = 3,
    temperature: float | None = None,
    prompt: Tokens = (1, 2),
    rules: Rules = PLAIN,
) -> float:
    """Total variation between p^alpha and what one application of the kernel makes of it, all paths enumerated.

    temperature: at which the recorded log q of the states is taken, None: 1/alpha.
    """
    known = states(model, prompt, horizon, 1.0 / alpha if temperature is None else temperature, rules)
    target = power_law(model, prompt, horizon, alpha, rules)
    pi = np.array([target[tokens] for tokens in known])
    return float(
        0.5 * np.abs(np.append(pi, 0.0) - pi @ transition_matrix(kernel, known, model, prompt)).sum()
    )


def assert_invariant(kernel: Move, model: Model | None = None, *, alpha: float, **options: Any) -> None:
    """Raise AssertionError unless kernel(dice, state, model, prompt) -> state leaves p^alpha invariant, to 1e-12.

    model: small, such as a `ToyModel` with three words; None: three such models, one of which has impossible tokens.
    options: as of `invariance_error`.
    """
    models = (
        [model]
        if model is not None
        else [
            ToyModel(("<end>", "a", "b"), seed=1),
            ToyModel(("<end>", "a", "b"), seed=2, end_bias=4.0),
            ToyModel(("<end>", "a", "b", "c"), seed=3, zero_every=2),
        ]
    )
    for each in models:
        error = invariance_error(kernel, each, alpha=alpha, **options)
        if not error < _TOLERANCE:
            raise AssertionError(f"p^{alpha:g} is not invariant on {each!r}: total variation {error:.3g}")
