"""What happens in a run, as frozen values. The live view, the JSONL trace and replay read the same ones.

A sampler yields Extended, Stepped and, last, Finished. Each holds the suffix that was written, not the whole
state: folding the events (head(kept) + suffix where accepted) gives every state back, token for token.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from localpower.completion import Completion


@dataclass(frozen=True, slots=True)
class Started:
    """The run begins: everything needed to read the rest. `settings` and `model` are plain JSON values."""

    method: str
    settings: dict[str, Any]
    model: dict[str, Any]
    prompt: tuple[int, ...]
    n_chains: int
    version: str


@dataclass(frozen=True, slots=True)
class Extended:
    """The state grew towards `horizon`: it is now its first `kept` tokens followed by `suffix`."""

    stage: int
    horizon: int
    kept: int
    suffix: Completion


@dataclass(frozen=True, slots=True)
class Stepped:
    """One Metropolis-Hastings step, with all that its decision rested on.

    cut: tokens kept before the suffix was redrawn (0-based position of the first redrawn token).
    divergence: first position where the proposal differs from the state; None where it equals the state.
    n_x, n_y: drawn tokens of state and proposal. log_w_x, log_w_y: sums of alpha*log_p - log_q from the
    divergence on. log_kappa_x, log_kappa_y: log-probability of this cut given state and given proposal.
    log_ratio = log_w_y + log_kappa_y - log_w_x - log_kappa_x; accepted iff log_u < log_ratio.
    free: the proposal equals the state (no move). early: rejected before the proposal was complete: n_y, log_w_y and
    the suffix are those so far, log_kappa_y and log_ratio upper bounds. decided_at: length at which the decision fell.
    n_decoded: tokens drawn from the model. suffix: the proposal from the cut on, rejected or not.
    log_others: of several tries, the summed weights of those not picked, over the state's; None of one.
    Forms of the step other than the plain one (samplers/race.py, tries.py) have a log_ratio of their own.
    """

    stage: int
    step: int
    horizon: int
    cut: int
    divergence: int | None
    n_x: int
    n_y: int
    log_u: float
    log_w_x: float
    log_w_y: float
    log_kappa_x: float
    log_kappa_y: float
    log_ratio: float
    accepted: bool
    free: bool
    early: bool
    decided_at: int
    n_decoded: int
    suffix: Completion
    log_others: float | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """The run is over. finish: stop, length, budget or interrupted. log_p of the final state, nats."""

    finish: str
    n_tokens: int
    log_p: float


Event = Started | Extended | Stepped | Finished
_KINDS: dict[str, type[Started | Extended | Stepped | Finished]] = {
    "started": Started,
    "extended": Extended,
    "stepped": Stepped,
    "finished": Finished,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def to_json(event: Event) -> dict[str, Any]:
    """A tagged dictionary of plain JSON values; `from_json` gives the event back, floats bit for bit."""
    out: dict[str, Any] = {"event": _NAMES[type(event)]}
    for item in fields(event):
        value = getattr(event, item.name)
        out[item.name] = _suffix_to_json(value) if isinstance(value, Completion) else value
    return out


def from_json(data: dict[str, Any]) -> Event:
    """The event that `to_json` wrote. Raises ValueError, KeyError, TypeError or IndexError for anything else."""
    kind = _KINDS.get(data["event"])
    if kind is None:
        raise ValueError(f"unknown event {data['event']!r}")
    values = {item.name: _value_from_json(str(item.type), data[item.name]) for item in fields(kind)}
    return kind(**values)


_LARGEST = 2**31 - 1
_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "int | None": (int, type(None)),
    "float": (float, int),
    "float | None": (float, int, type(None)),
    "bool": (bool,),
    "str": (str,),
    "dict[str, Any]": (dict,),
}


def _value_from_json(kind: str, value: Any) -> Any:
    """A field of that annotation. Raises ValueError for a value of another type."""
    if kind == "Completion":
        return _suffix_from_json(value)
    if kind == "tuple[int, ...]":
        return _tokens_from_json(value)
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "bool"):
        raise ValueError(f"expected {kind}, got {value!r}")
    if isinstance(value, int) and not -_LARGEST <= value <= _LARGEST:
        raise ValueError("the number is too large")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("expected a finite number")
    return float(value) if isinstance(value, int) and kind.startswith("float") else value


def _tokens_from_json(values: Any) -> tuple[int, ...]:
    if not isinstance(values, list) or not all(
        type(token) is int and 0 <= token <= _LARGEST for token in values
    ):
        raise ValueError("expected a list of tokens")
    return tuple(values)


def _suffix_to_json(part: Completion) -> dict[str, Any]:
    return {
        "tokens": list(part.tokens),
        "ended": part.ended,
        "log_p": part.log_p.tolist(),
        "log_q": part.log_q.tolist(),
        "entropy": part.entropy.tolist(),
        "given": np.flatnonzero(part.given).tolist(),
    }


def _suffix_from_json(data: dict[str, Any]) -> Completion:
    tokens = _tokens_from_json(data["tokens"])
    log_p, log_q, entropy = (np.array(data[name], np.float64) for name in ("log_p", "log_q", "entropy"))
    for numbers in (log_p, log_q, entropy):
        if numbers.shape != (len(tokens),) or not np.isfinite(numbers).all():
            raise ValueError("expected a finite number for each token")
    given = np.zeros(len(tokens), dtype=np.bool_)
    given[list(_tokens_from_json(data["given"]))] = True
    return Completion(tokens, bool(data["ended"]), log_p, log_q, entropy, given)
