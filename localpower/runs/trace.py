"""A recorded run read back: its settings, its events with their times, and the bytes of its tokens."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localpower import jsonl
from localpower.errors import UserError
from localpower.events import Chosen, Event, Extended, Finished, Resampled, Started, Stepped, from_json

FINISHES = ("stop", "length", "turns", "budget", "interrupted")
_LONGEST_S = 1e7
MOST_MEMBERS = 1000  # answers of a run
_MOST_CHAINS = 1000
_HINT = "replay takes a file that run --events wrote"


@dataclass(frozen=True, slots=True)
class Moment:
    """An event, when it was told (seconds since the run began), and of which chain."""

    seconds: float
    chain: int
    event: Event


@dataclass(frozen=True, slots=True)
class Trace:
    """A whole file. whole: every chain finished; else the recording ends early."""

    started: Started
    moments: tuple[Moment, ...]
    pieces: dict[int, bytes]
    whole: bool

    def piece(self, token: int) -> bytes:
        """The bytes of a token that occurs in the run."""
        return self.pieces.get(token, b"")


def read_trace(path: Path) -> Trace:
    """What `Recorder` wrote. A last line that was cut off is left out. Raises UserError for any other file."""
    started: Started | None = None
    moments: list[Moment] = []
    pieces: dict[int, bytes] = {}

    def moment(line: Any) -> tuple[Moment, dict[int, bytes]]:
        event = from_json(line)
        seconds, chain = float(line["t"]), int(line.get("chain", 0))
        if not 0.0 <= seconds <= _LONGEST_S or (isinstance(event, Finished) and event.finish not in FINISHES):
            raise ValueError
        _check_members(event)
        texts = {
            int(token): text.encode("utf-8", "surrogateescape") for token, text in line["pieces"].items()
        }
        return Moment(seconds, chain, event), texts

    # That the recording was cut off is told by `whole`.
    for place, (told, texts) in jsonl.read(path, moment, "event of a run", hint=_HINT, cut_off=jsonl.silent):
        pieces |= texts
        if isinstance(told.event, Started):
            if started is not None:
                raise UserError(f"{place} begins a second run", _HINT)
            _check_settings(told.event, path)
            started = told.event
        elif started is None or not 0 <= told.chain < started.n_chains:
            raise UserError(f"{place} belongs to no run that has begun", _HINT)
        else:
            moments.append(told)
    if started is None:
        raise UserError(f"{path} holds no run", _HINT)
    finished = {moment.chain for moment in moments if isinstance(moment.event, Finished)}
    return Trace(started, tuple(moments), pieces, len(finished) == started.n_chains)


def _whole(low: int, high: int = 2**31 - 1) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and low <= value <= high


def _number(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int | float) and low <= value <= high


def _pair(value: Any) -> bool:
    return (
        isinstance(value, list) and len(value) == 2 and all(isinstance(each, str) and each for each in value)
    )


def _tools(value: Any) -> bool:
    """What a run with tools says of them."""
    kinds = {
        "format": str,
        "environment": str,
        "seed": int,
        "fresh": bool,
        "turns": int,
        "observation_tokens": int,
    }
    return isinstance(value, dict) and all(type(value.get(name)) is kind for name, kind in kinds.items())


_SETTINGS: dict[str, Callable[[Any], bool]] = {
    "alpha": _number(1.0, 1e6),
    "temperature": _number(0.0, 1e6),
    "max_tokens": _whole(1),
    "block": lambda value: value is None or _whole(1)(value),
    "steps": lambda value: value is None or _whole(0)(value),
    "rho": lambda value: value is None or _number(0.0, 1.0)(value),  # as restart_weight was called
    "restart_weight": lambda value: value is None or _number(0.0, 1.0)(value),
    "hot_cut": lambda value: value in (None, False, True),
    "particles": lambda value: value is None or _whole(1, MOST_MEMBERS)(value),
    "seed": _whole(0, 2**64 - 1),
    "pick": lambda value: value in ("random", "logp", "all"),
    "stops": lambda value: isinstance(value, list) and all(isinstance(stop, str) for stop in value),
    "thinking_budget": lambda value: value is None or _whole(0)(value),
    "thought_marks": lambda value: value is None or _pair(value),
    "tools": lambda value: value is None or _tools(value),
    "exactness": lambda value: value == "exact" or _number(0.0, math.inf)(value),
}


def _check_members(event: Event) -> None:
    """Raise ValueError for an event about answers that no run holds."""
    if isinstance(event, Extended | Stepped | Chosen) and not 0 <= event.member < MOST_MEMBERS:
        raise ValueError
    if isinstance(event, Resampled) and not (
        1 <= len(event.log_w) <= MOST_MEMBERS
        and (event.parents is None or len(event.parents) == len(event.log_w))
        and (event.parents is None or max(event.parents) < len(event.log_w))
    ):
        raise ValueError


def _check_settings(started: Started, path: Path) -> None:
    """Raise UserError unless the settings hold what replay reads."""
    settings = started.settings
    if started.method == "tempering":
        raise UserError(
            "the run was recorded with --method tempering, which this version no longer knows",
            "commit c85e25d had it last",
        )
    wrong = ["particles"] if started.method == "smc" and not settings.get("particles") else []
    wrong += [name for name, right in _SETTINGS.items() if not right(settings.get(name))]
    wrong += [] if 1 <= started.n_chains <= _MOST_CHAINS else ["n_chains"]
    wrong += [] if isinstance(started.model.get("name"), str) and "sha256" in started.model else ["model"]
    if wrong:
        raise UserError(f"line 1 of {path} has no usable {wrong[0]}", _HINT)
