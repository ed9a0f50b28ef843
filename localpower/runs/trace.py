"""A recorded run read back: its settings, its events with their times, and the bytes of its tokens."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from localpower.errors import UserError
from localpower.events import Event, Finished, Started, from_json


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
    hint = "replay takes a file that run --events wrote"
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}", hint) from None
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
            raise UserError(f"line {number} of {path} is no event of a run", hint) from None
        pieces |= texts
        if isinstance(event, Started):
            if started is not None:
                raise UserError(f"line {number} of {path} begins a second run", hint)
            started = event
        elif started is None or not 0 <= chain < started.n_chains:
            raise UserError(f"line {number} of {path} belongs to no run that has begun", hint)
        else:
            moments.append(Moment(seconds, chain, event))
    if started is None:
        raise UserError(f"{path} holds no run", hint)
    finished = {moment.chain for moment in moments if isinstance(moment.event, Finished)}
    return Trace(started, tuple(moments), pieces, len(finished) == started.n_chains)
