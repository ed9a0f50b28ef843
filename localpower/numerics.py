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
    surprise = base * np.maximum(shifted, row.dtype.type(_LOWEST))  # not np.dot: BLAS would wake threads
    entropy = log_norm - float(surprise.sum(dtype=np.float64)) / norm
    if temperature == 1.0:
        weights = base
    elif temperature == 0.0:
        weights = np.zeros_like(base)
        weights[int(np.argmax(row))] = 1.0
    elif temperature < _COLDEST:
        weights = (shifted == 0.0).astype(row.dtype)  # any other token's weight is below every float
    else:
        weights = np.exp(shifted * row.dtype.type(1.0 / temperature))
    return Weighed(
        weights=weights,
        log_total=math.log(float(weights.sum(dtype=np.float64))),
        shifted=shifted,
        log_norm=log_norm,
        entropy=max(entropy, 0.0),
    )


def log_softmax(rows: NDArray[np.floating]) -> NDArray[np.float64]:
    """Log-probabilities of logits (..., vocab) in float64."""
    rows = np.asarray(rows, dtype=np.float64)
    shifted = rows - rows.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))
