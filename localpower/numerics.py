"""From a row of logits to the numbers a sampler needs, in one pass. Nats; sums in float64."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from localpower.errors import EngineError

_COLDEST = 1e-30
_LOWEST = -1e30  # stands for log 0 where 0 * log 0 must be 0


class Weighed(NamedTuple):
    """A row of logits seen through the base model and through the proposal.

    `weights` (vocab,): the proposal's unnormalised probabilities, p(v)^(1/temperature) up to a constant,
    in the row's own precision. `entropy`: of the base model, nats.
    """

    weights: NDArray[np.floating]
    log_total: float
    shifted: NDArray[np.floating]
    log_norm: float
    entropy: float

    def log_p(self, token: int) -> float:
        """log p(token) under the base model."""
        return float(self.shifted[token]) - self.log_norm

    def log_q(self, token: int) -> float:
        """log q(token): of the weight that `pick` really saw, so that the ratio uses the law drawn from."""
        weight = float(self.weights[token])
        return math.log(weight) - self.log_total if weight > 0.0 else -math.inf

    def log_step(self, exponent: float) -> float:
        """log of the sum of p^exponent, where exponent is the inverse of the temperature that it was weighed at."""
        return self.log_total - exponent * self.log_norm

    def log_z(self, exponent: float) -> float:
        """log of the sum of p^exponent over the vocabulary, nats; of the proposal's own exponent log p^a - log q."""
        powers = np.exp(self.shifted * self.shifted.dtype.type(exponent))
        return math.log(float(powers.sum(dtype=np.float64))) - exponent * self.log_norm


def weigh(row: NDArray[np.floating], temperature: float) -> Weighed:
    """Reduce a row of logits (vocab,) at a proposal temperature >= 0 (0: all weight on the argmax).

    Works in the precision of `row` (float32 from llama.cpp, float64 from the toy) with float64 sums.
    Raises EngineError when the row holds NaN or no finite value: there is no distribution to sample.
    """
    top = float(row.max())
    if not math.isfinite(top):
        raise EngineError(f"the model gave logits with maximum {top}", "the file may be damaged")
    shifted = row - row.dtype.type(top)
    base = np.exp(shifted)
    norm = float(base.sum(dtype=np.float64))
    log_norm = math.log(norm)
    entropy = log_norm - _surprise(base, shifted) / norm
    if temperature == 1.0:
        weights = base
    elif temperature == 0.0:
        weights = np.zeros_like(base)
        weights[int(np.argmax(row))] = 1.0
    elif temperature < _COLDEST:
        weights = (shifted == 0.0).astype(row.dtype)  # any other token's weight is below every float
    else:
        weights = _power(base, shifted, 1.0 / temperature)
    return Weighed(
        weights=weights,
        log_total=math.log(float(weights.sum(dtype=np.float64))),
        shifted=shifted,
        log_norm=log_norm,
        entropy=max(entropy, 0.0),
    )


def _surprise(base: NDArray[np.floating], shifted: NDArray[np.floating]) -> float:
    """Sum of base * log base, with 0 log 0 = 0. Not np.dot: BLAS would wake threads."""
    with np.errstate(invalid="ignore"):
        total = float((base * shifted).sum(dtype=np.float64))
    if math.isnan(total):  # an impossible token; in most models there is none
        total = float((base * np.maximum(shifted, shifted.dtype.type(_LOWEST))).sum(dtype=np.float64))
    return total


def _power(
    base: NDArray[np.floating], shifted: NDArray[np.floating], exponent: float
) -> NDArray[np.floating]:
    """base^exponent: a few multiplications where the exponent is a small half-integer, else another exp."""
    doubled = exponent * 2.0
    if doubled != int(doubled) or doubled > 16:
        return np.exp(shifted * shifted.dtype.type(exponent))
    power: NDArray[np.floating] | None = np.sqrt(base) if doubled % 2 else None
    square, left = base, int(exponent)
    while left:
        if left % 2:
            power = square if power is None else power * square
        left //= 2
        square = square * square if left else square
    assert power is not None  # the exponent is at least 1/2
    return power


def log_softmax(rows: NDArray[np.floating]) -> NDArray[np.float64]:
    """Log-probabilities of logits (..., vocab) in float64."""
    rows = np.asarray(rows, dtype=np.float64)
    shifted = rows - rows.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))
