"""A recorded run: what its chains said, and whether every number in it is what it should be."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from localpower.api.opening import Waiting, nobody, opened
from localpower.chance import StreamDice
from localpower.errors import UserError
from localpower.loading import Request
from localpower.runs.interrupt import Interrupts
from localpower.runs.session import pick
from localpower.runs.tally import Tally
from localpower.runs.trace import Trace
from localpower.runs.verify import Findings, verify
from localpower.text.stops import answer_text
from localpower.text.thinking import Thought


def texts_of(trace: Trace, tallies: Sequence[Tally]) -> tuple[list[str], int]:
    """The answer of each chain, and which was picked."""
    settings = trace.started.settings
    stops = [stop.encode("utf-8", "surrogateescape") for stop in settings["stops"]]
    texts = [answer_text(tally.state.tokens, trace.piece, stops) for tally in tallies]
    return texts, pick(list(tallies), settings["pick"], StreamDice(settings["seed"]))


def thought_of(trace: Trace) -> Thought | None:
    """How thoughts lie in the answers; None: the model was not known to have any."""
    marks = trace.started.settings.get("thought_marks")
    return Thought.after((marks[0], marks[1]), trace.started.prompt, trace.piece) if marks else None


def check_recording(
    trace: Trace, model: str | None, interrupts: Interrupts, waiting: Waiting = nobody
) -> tuple[dict[str, Any], Findings]:
    """Every decision again, from the record and, with a model, from a fresh evaluation of every token.

    Returns the report as plain JSON values, and the findings. Raises UserError for another model than the recorded one.
    """
    start, engine, started = time.perf_counter(), None, trace.started
    if model is not None:
        loaded = opened(Request(model), interrupts, waiting)
        if loaded.info.sha256 != started.model["sha256"]:
            recorded = started.model["name"]
            raise UserError(f"the run was recorded with another model ({recorded})", "give that file with -m")
        engine = loaded.engine(started.prompt, int(started.settings["max_tokens"]), 1, interrupts.check)
    found = verify(trace, engine, interrupts.check)
    exact = started.settings["exactness"] == "exact"
    allowed = 0.0 if exact else float(started.settings["exactness"])
    return {
        "passed": not found.problems and found.largest <= allowed and not (exact and found.changed),
        "steps": found.n_steps,
        "accepted": found.n_accepted,
        "problems": found.problems,
        "evaluated_tokens": found.n_tokens if engine else None,
        "largest_difference": found.largest if engine else None,
        "changed_decisions": found.changed if engine else None,
        "seconds": time.perf_counter() - start,
    }, found
