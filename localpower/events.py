"""What happens in a run, as frozen values. The live view, the JSONL trace and replay read the same ones.

A sampler yields Extended or Adopted, Stepped and, last, Finished. Each holds the suffix that was written, not the whole
state: folding the events (head(kept) + suffix where accepted) gives every state back, token for token.
"""

from __future__ import annotations

import math
from dataclasses import MISSING, dataclass, fields
from typing import Any, get_args

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
    """The state grew towards `horizon`: it is now its first `kept` tokens followed by `suffix`.

    member: which of the answers that a run holds at once; 0 where it holds one.
    """

    stage: int
    horizon: int
    kept: int
    suffix: Completion
    member: int = 0


@dataclass(frozen=True, slots=True)
class Adopted:
    """The run begins with an answer that nobody drew. n_scored: tokens evaluated for its numbers."""

    horizon: int
    suffix: Completion
    n_scored: int


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
    n_scored: tokens evaluated for their log p alone, which drawing did not tell. refused: a verifier rejected the
    proposal before that: log_w_y, log_kappa_y, and log_p and entropy of the suffix from the divergence on, are 0.
    Forms of the step other than the plain one (samplers/acceptance.py) have a log_ratio of their own.
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
    member: int = 0
    n_scored: int = 0
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """The schedule that fits a budget: so many steps a stage, at most so many tokens drawn in all."""

    steps: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Resampled:
    """The particles were weighed before token `position` (from 1) was drawn at exponent `alpha`.

    log_w: of each particle, nats. ess: effective sample size. parents: the particle that each slot goes on from; None:
    they were not resampled. log_z: log of the normaliser so far, up to the last resampling (this one included).
    """

    position: int
    alpha: float
    ess: float
    log_z: float
    log_w: tuple[float, ...]
    parents: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Looked:
    """Of the candidates for block `stage` number `chosen` was drawn by `shares`; an extension by it follows.

    n_dropped: tokens drawn for the block that are not in it: other candidates, rollouts.
    """

    stage: int
    chosen: int
    shares: tuple[float, ...]
    n_dropped: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """Of the answers that a run holds this one is returned. log_w: of each; log_z: log of the estimated normaliser."""

    member: int
    log_w: tuple[float, ...]
    log_z: float


@dataclass(frozen=True, slots=True)
class Finished:
    """The run is over. finish: stop, length, budget or interrupted. log_p of the final state, nats.

    n_dropped: tokens drawn that no event before it holds: of a proposal that the budget cut off.
    """

    finish: str
    n_tokens: int
    log_p: float
    n_dropped: int = 0


Event = Started | Extended | Adopted | Stepped | Planned | Resampled | Looked | Chosen | Finished
_KINDS: dict[str, type[Event]] = {kind.__name__.lower(): kind for kind in get_args(Event)}
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
    values = {
        item.name: _value_from_json(str(item.type), data[item.name])
        for item in fields(kind)
        if item.name in data or item.default is MISSING  # a recording made before the field was
    }
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
    if kind == "tuple[int, ...] | None" and value is None:
        return None
    if kind.startswith("tuple[int, ...]"):
        return _tokens_from_json(value)
    if kind == "tuple[float, ...]":
        return _numbers_from_json(value)
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


def _numbers_from_json(values: Any) -> tuple[float, ...]:
    if not isinstance(values, list) or not all(
        type(value) in (int, float) and math.isfinite(value) for value in values
    ):
        raise ValueError("expected a list of finite numbers")
    return tuple(float(value) for value in values)


def _suffix_to_json(part: Completion) -> dict[str, Any]:
    observed = np.flatnonzero(part.observed)
    trace = {"observed": observed.tolist(), "chance": part.world[observed].tolist()} if len(observed) else {}
    return trace | {
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
    world = np.full(len(tokens), -1, dtype=np.int64)
    world[list(_tokens_from_json(data.get("observed", [])))] = _tokens_from_json(data.get("chance", []))
    if not given[world >= 0].all():
        raise ValueError("an observation is given")
    return Completion(tokens, bool(data["ended"]), log_p, log_q, entropy, given, world)
