"""From a row of logits to the numbers a sampler needs, in one pass. Nats; sums in float64."""

from __future__ import annotations

import math
import os
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from localpower.errors import EngineError

BLOCK = 256  # values summed at a time: a running sum over a whole vocabulary is slow
_WORTH_A_THREAD = 1 << 14  # values in a row
_COLDEST = 1e-30
_ROUND_UP = 1.001  # so that the power of what was rounded is still a normal number
_LOWEST = -1e30  # stands for log 0 where 0 * log 0 must be 0


class TokenDistribution(NamedTuple):
    """A row of logits seen through the base model and through the proposal; valid as long as the row is.

    `row` (vocab,): the logits, `top` the largest of them. `weights` (vocab,): the proposal's unnormalised
    probabilities, p(v)^(1/temperature) up to a constant, in the row's own precision; `sums`: of their blocks, as
    `block_sums` makes them. `entropy`: of the base model, nats. `exponent`: 1/temperature.
    """

    weights: NDArray[np.floating]
    sums: NDArray[np.float64]
    log_total: float
    row: NDArray[np.floating]
    top: np.floating
    log_norm: float
    entropy: float
    exponent: float

    def log_p(self, token: int) -> float:
        """log p(token) under the base model."""
        return float(self.row[token] - self.top) - self.log_norm

    def log_q(self, token: int) -> float:
        """log q(token): of the weight that `pick` really saw, so that the ratio uses the law drawn from.

        By the formula where the weight has rounded to nothing, or to the smallest number: another law drew the token.
        """
        weight = float(self.weights[token])
        if weight > 2.0 * float(np.finfo(self.weights.dtype).tiny):
            return math.log(weight) - self.log_total
        log_p = self.log_p(token)
        return self.exponent * log_p - self.log_step() if self.exponent * log_p > -math.inf else -math.inf

    def log_step(self) -> float:
        """log of the sum of p^exponent."""
        return self.log_total - self.exponent * self.log_norm

    def base(self) -> NDArray[np.floating]:
        """Unnormalised probabilities (vocab,) of p itself; a new array."""
        return np.asarray(np.exp(self.row - self.top))

    def at(self, temperature: float) -> TokenDistribution:
        """The same row seen through the proposal of another temperature."""
        return self if self.exponent == 1.0 / temperature else weigh(self.row, temperature)


def weigh(row: NDArray[np.floating], temperature: float) -> TokenDistribution:
    """Reduce a row of logits (vocab,) at a proposal temperature >= 0 (0: all weight on the argmax).

    Works in the precision of `row` (float32 from llama.cpp, float64 from the toy); sums of probabilities and of
    weights are in float64, that of the entropy in the row's own precision.
    Raises EngineError when the row holds NaN or no finite value: there is no distribution to sample.
    """
    top = row.max()
    if not math.isfinite(top):
        raise EngineError(f"the model gave logits with maximum {float(top)}", "the file may be damaged")
    weights = _spare(row)
    shifted, base = _scratch(row)
    base = weights if temperature == 1.0 else base
    np.subtract(row, top, out=shifted)
    np.exp(shifted, out=base)
    sums = block_sums(base)
    norm = float(sums.sum())
    log_norm = math.log(norm)
    surprise = float(np.einsum("i,i->", base, shifted))  # in C; np.dot would wake the threads of a BLAS
    possible = not math.isnan(surprise)
    if not possible:  # 0 log 0 of an impossible token; in most models there is none
        surprise = float((base * np.maximum(shifted, shifted.dtype.type(_LOWEST))).sum(dtype=np.float64))
    if temperature != 1.0:
        if temperature == 0.0:  # of several that are the largest the first
            weights[:] = 0.0
            weights[int(np.argmax(row))] = 1.0
        elif temperature < _COLDEST:  # any other token's weight is below every float
            weights[:] = shifted == 0.0
        else:
            _power(base, shifted, 1.0 / temperature, weights)
            if not possible:
                weights[np.isneginf(row)] = 0.0
        sums = block_sums(weights)
    entropy = max(log_norm - surprise / norm, 0.0)
    exponent = 1.0 / temperature if temperature else math.inf
    return TokenDistribution(
        weights, sums, math.log(float(sums.sum())), row, top, log_norm, entropy, exponent
    )


class _Scratch(threading.local):
    """Arrays of one thread: to ask the system for new ones takes longer than to fill them."""

    def __init__(self) -> None:
        self.arrays: NDArray[np.floating] | None = None
        self.handed_out: list[NDArray[np.floating]] = []


_own = _Scratch()
_ROWS_KEPT = 64
_POOL = 8


def _count_of_idle() -> int:
    """What `sys.getrefcount` says of an array that a list alone holds, asked as `_spare` asks: versions differ."""
    kept = [np.empty(1)]
    for array in kept:
        return sys.getrefcount(array)
    raise AssertionError


_IDLE = _count_of_idle()
_COUNTS = getattr(sys, "_is_gil_enabled", lambda: True)()  # without Python's lock counts are no proof


def _spare(row: NDArray[np.floating]) -> NDArray[np.floating]:
    """An array like a row that nobody else holds: one that was handed out and forgotten since, or a new one."""
    kept = _own.handed_out
    if kept and (kept[0].shape != row.shape or kept[0].dtype != row.dtype):
        kept.clear()
    for array in kept if _COUNTS else ():
        if sys.getrefcount(array) <= _IDLE:
            return array
    array = np.empty(row.shape, row.dtype)
    if len(kept) < _ROWS_KEPT:
        kept.append(array)
    return array


def _scratch(row: NDArray[np.floating]) -> NDArray[np.floating]:
    """Two arrays like a row, (2, vocab), of this thread, to be overwritten by its next call."""
    arrays = _own.arrays
    if arrays is None or arrays.shape[1:] != row.shape or arrays.dtype != row.dtype:
        arrays = _own.arrays = np.empty((2, *row.shape), row.dtype)
    return arrays


def _power(
    base: NDArray[np.floating], shifted: NDArray[np.floating], exponent: float, power: NDArray[np.floating]
) -> NDArray[np.floating]:
    """base^exponent into `power`: a few multiplications where the exponent is a small half-integer, else another exp.

    The other two arrays are used up. Powers below the smallest normal number are taken for that number: to multiply
    smaller ones takes a processor a hundred times as long, and none of them is ever drawn.
    """
    doubled = exponent * 2.0
    if doubled != int(doubled) or doubled > 16:
        np.exp(np.multiply(shifted, base.dtype.type(exponent), out=shifted), out=power)
        return power
    floor = float(np.finfo(base.dtype).tiny) ** (1.0 / exponent) * _ROUND_UP
    np.fmax(base, _constant(base.size, base.dtype, floor), out=base)
    begun = bool(doubled % 2)
    if begun:
        np.sqrt(base, out=power)
    left = int(exponent)
    while left:
        if left % 2:
            if begun:
                np.multiply(power, base, out=power)
            else:
                np.copyto(power, base)
            begun = True
        left //= 2
        if left:
            np.multiply(base, base, out=base)
    return power


@lru_cache(maxsize=8)
def _constant(n: int, dtype: np.dtype[Any], value: float) -> NDArray[np.floating]:
    """An array of one value: numpy compares arrays several times as fast as an array with a number."""
    array = np.full(n, value, dtype)
    array.flags.writeable = False
    return array


def weigh_all(
    rows: Sequence[NDArray[np.floating]], temperatures: Sequence[float | None]
) -> list[NDArray[np.floating] | TokenDistribution]:
    """Each row as `weigh` weighs it, on several cores where that pays; at None it stays as it is."""
    pairs = list(zip(rows, temperatures, strict=True))
    if len(rows) < 2 or rows[0].size < _WORTH_A_THREAD:
        return _weigh_each(pairs)
    n = min(_cores(), len(rows))
    mine, *others = (pairs[i * len(pairs) // n : (i + 1) * len(pairs) // n] for i in range(n))
    waiting = [_pool().submit(_weigh_each, part) for part in others]
    try:
        found = _weigh_each(mine)
    finally:
        wait(waiting)  # whatever happens, nobody reads the rows afterwards
    return [*found, *(row for future in waiting for row in future.result())]


def _weigh_each(
    pairs: Sequence[tuple[NDArray[np.floating], float | None]],
) -> list[NDArray[np.floating] | TokenDistribution]:
    return [row if temperature is None else weigh(row, temperature) for row, temperature in pairs]


_most_cores = 8


def use_cores(n: int) -> None:
    """Weigh rows on so many cores at most, from now on in this process."""
    global _most_cores  # noqa: PLW0603 - a process has one pool
    _most_cores = max(n, 1)


def _cores() -> int:
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(here, _most_cores, _POOL)


@cache
def _pool() -> ThreadPoolExecutor:
    """Numpy works outside of Python's lock. Threads of a pool sleep between two calls."""
    return ThreadPoolExecutor(_POOL, thread_name_prefix="weigh")


def block_sums(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Sums of BLOCK values each and of the rest, (n // BLOCK + 1,), in float64."""
    whole = len(values) // BLOCK * BLOCK
    sums = np.empty(whole // BLOCK + 1, np.float64)
    np.add.reduce(values[:whole].reshape(-1, BLOCK), axis=1, dtype=np.float64, out=sums[:-1])
    sums[-1] = np.add.reduce(values[whole:], dtype=np.float64)
    return sums


def log_softmax(rows: NDArray[np.floating]) -> NDArray[np.float64]:
    """Log-probabilities of logits (..., vocab) in float64."""
    rows = np.asarray(rows, dtype=np.float64)
    shifted = rows - rows.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))
