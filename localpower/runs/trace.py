"""A recorded run read back: its settings, its events with their times, and the bytes of its tokens."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from localpower.errors import UserError
from localpower.events import Event, Finished, Started, from_json

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
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}", _HINT) from None
    started: Started | None = None
    moments: list[Moment] = []
    pieces: dict[int, bytes] = {}
    for number, data in enumerate(lines[:-1], 1):  # after the last line break: nothing, or a line cut off
        try:
            line = json.loads(data)
            event = from_json(line)
            seconds, chain = float(line["t"]), int(line.get("chain", 0))
            texts = {
                int(token): text.encode("utf-8", "surrogateescape") for token, text in line["pieces"].items()
            }
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            raise UserError(f"line {number} of {path} is no event of a run", _HINT) from None
        pieces |= texts
        if isinstance(event, Started):
            if started is not None:
                raise UserError(f"line {number} of {path} begins a second run", _HINT)
            _check_settings(event, path)
            started = event
        elif started is None or not 0 <= chain < started.n_chains:
            raise UserError(f"line {number} of {path} belongs to no run that has begun", _HINT)
        else:
            moments.append(Moment(seconds, chain, event))
    if started is None:
        raise UserError(f"{path} holds no run", _HINT)
    finished = {moment.chain for moment in moments if isinstance(moment.event, Finished)}
    return Trace(started, tuple(moments), pieces, len(finished) == started.n_chains)


_SETTINGS: dict[str, tuple[type, ...]] = {
    "alpha": (int, float),
    "temperature": (int, float),
    "max_tokens": (int,),
    "seed": (int,),
    "pick": (str,),
    "stops": (list,),
    "exactness": (str, int, float),
}


def _check_settings(started: Started, path: Path) -> None:
    """Raise UserError unless the settings hold what replay reads."""
    wrong = [name for name, kinds in _SETTINGS.items() if not isinstance(started.settings.get(name), kinds)]
    wrong += [] if started.n_chains >= 1 else ["n_chains"]
    wrong += [name for name in ("name", "sha256") if name not in started.model]
    if wrong:
        raise UserError(f"line 1 of {path} has no usable {wrong[0]}", _HINT)
