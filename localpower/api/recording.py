"""A recorded run: what its chains said, and whether every number in it is what it should be."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from localpower.api.opening import Waiting, nobody, opened
from localpower.chance import StreamDice
from localpower.completion import Completion
from localpower.errors import UserError
from localpower.loading import Request
from localpower.runs.interrupt import Interrupts
from localpower.runs.session import pick
from localpower.runs.tally import Tally
from localpower.runs.trace import Trace
from localpower.runs.verify import Findings, verify
from localpower.text.stops import Piece, answer_text
from localpower.text.thinking import Thought
from localpower.tools.exchange import Reseeded
from localpower.tools.names import SHIPPED, open_tools
from localpower.tools.recheck import Recheck


def texts_of(trace: Trace, tallies: Sequence[Tally]) -> tuple[list[str], int]:
    """The answer of each chain, and which was picked."""
    settings = trace.started.settings
    stops = [stop.encode("utf-8", "surrogateescape") for stop in settings["stops"]]
    texts = [answer_text(tally.state.last_turn, trace.piece, stops) for tally in tallies]
    return texts, pick(list(tallies), settings["pick"], StreamDice(settings["seed"]))


def thought_of(trace: Trace) -> Thought | None:
    """How thoughts lie in the answers; None: the model was not known to have any."""
    marks = trace.started.settings.get("thought_marks")
    return Thought.after((marks[0], marks[1]), trace.started.prompt, trace.piece) if marks else None


def _nothing(trace: Completion, since: int) -> list[str]:
    return []


def _recheck(
    trace: Trace, tools: Sequence[str], spelled: Piece, stop: Callable[[], bool]
) -> Recheck | str | None:
    """Who makes the calls again; in words why nobody does, None: the run had no tools. Raises UserError."""
    recorded = trace.started.settings.get("tools")
    if recorded is None:
        return None
    names = tools or [name for name in recorded["environment"].split(", ") if name in SHIPPED]
    ours = ", ".join(names) == recorded["environment"]
    if not tools and (not ours or any(SHIPPED[name].runs_code for name in names)):
        return (
            f"what tools answered (they run code: --tools {recorded['environment']} makes their calls again)"
        )
    environment = open_tools(names, run_code=True, stop=stop)
    if not environment.deterministic and recorded["fresh"] and not isinstance(environment, Reseeded):
        return "what tools answered (they do not answer the same twice)"
    return Recheck(
        environment, recorded, lambda turn: b"".join(map(spelled, turn)).decode("utf-8", "replace")
    )


def check_recording(
    trace: Trace,
    model: str | None,
    interrupts: Interrupts,
    waiting: Waiting = nobody,
    tools: Sequence[str] = (),
) -> tuple[dict[str, Any], Findings]:
    """Every decision again, from the record and, with a model, from a fresh evaluation of every token.

    Calls of tools are made again: those of ours, and those of files and packages that `tools` names, which runs them.

    Returns the report as plain JSON values, and the findings. Raises UserError for another model than the recorded one.
    """
    start, engine, started = time.perf_counter(), None, trace.started
    spelled = trace.piece
    if model is not None:
        kv = started.model.get("kv")
        if kv not in (None, 8, 16):
            raise UserError(f"the recording names keys and values of {kv!r} bits")
        loose = kv is not None and started.settings["exactness"] != "exact"
        loaded = opened(Request(model, fast=loose, kv=kv), interrupts, waiting)
        if loaded.info.sha256 != started.model["sha256"]:
            recorded = started.model["name"]
            raise UserError(f"the run was recorded with another model ({recorded})", "give that file with -m")
        used = started.settings.get("tools") or {}
        room = used.get("observation_tokens", 0) * (used.get("turns", 1) - 1)
        longest = int(started.settings["max_tokens"]) + room
        engine, spelled = loaded.engine(started.prompt, longest, 1, interrupts.check), loaded.spelled
    again = _recheck(trace, tools, spelled, lambda: interrupts.requested)
    observed = again.problems if isinstance(again, Recheck) else _nothing
    found = verify(trace, engine, interrupts.check, observed)
    if isinstance(again, str):
        found.unchecked = ", ".join(filter(None, (found.unchecked, again)))
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
        "observations": again.n if isinstance(again, Recheck) else None,
        "seconds": time.perf_counter() - start,
    }, found
