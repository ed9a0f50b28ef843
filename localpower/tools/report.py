"""What happened in a trace, as plain values: its turns, its calls, and what the run's environment was asked in all."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from localpower.completion import Completion
from localpower.tools.calls import BadCall, Call
from localpower.tools.environment import Json
from localpower.tools.exchange import Exchange
from localpower.tools.executor import resolve

_FINISHES = {"stop": "answer", "length": "tokens"}


@dataclass(frozen=True, slots=True)
class MadeCall:
    """A call of a turn. ok: the tool answered; gave: the text of that, or of what was wrong.

    name: "" where it could not be made; then written is what the model wrote, and problem what is wrong with it.
    """

    name: str
    arguments: dict[str, Json]
    ok: bool
    gave: str
    written: str = ""
    problem: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; a call that could not be made has no name."""
        if self.name:
            return {"name": self.name, "arguments": self.arguments, "ok": self.ok, "text": self.gave}
        return {"text": self.written, "problem": self.problem, "ok": False}


@dataclass(frozen=True, slots=True)
class Turn:
    """Tokens begin to end of the trace. kind: model or observation.

    calls: of a turn of the model that was answered. observations: of the turn that answers them, a text each.
    """

    begin: int
    end: int
    kind: str
    text: str
    calls: tuple[MadeCall, ...] = ()
    observations: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        found: dict[str, Any] = {"from": self.begin, "to": self.end, "kind": self.kind, "text": self.text}
        if self.kind == "observation":
            return found | {"observations": list(self.observations)}
        return found | {"calls": [call.to_dict() for call in self.calls]}


@dataclass(frozen=True, slots=True)
class TraceReport:
    """A trace and its costs.

    calls, calls_ok: of this trace, and those of them that a tool answered. calls_executed: by the whole run, proposals
    that were rejected included; calls_replayed: made again to copy a state. observation_tokens: that the model read in
    the whole run. observations_cut: shortened to their limit, in the whole run. finish: answer, turns or tokens, or
    how the run was cut short. check, state: of the environment at the end of the trace. tools: their schemas.
    """

    format: str
    environment: str
    environment_seed: int
    fresh: bool
    turns: tuple[Turn, ...]
    calls: int
    calls_ok: int
    calls_executed: int
    calls_replayed: int
    observation_tokens: int
    observations_cut: int
    seconds_outside: float
    finish: str
    check: bool | None
    state: Json
    tools: tuple[dict[str, Json], ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `from` and `to` of a turn are its tokens in the trace."""
        own = {each.name: getattr(self, each.name) for each in fields(self)}
        return own | {"turns": [turn.to_dict() for turn in self.turns], "tools": list(self.tools)}


def report(exchange: Exchange, trace: Completion, finish: str, environment: str, read: int) -> TraceReport:
    """Of a trace that ended so. environment: its name. read: observation tokens that the run's model read."""
    turns: list[Turn] = []
    place, tools = 0, exchange.environment.tools
    for (begin, end), done in zip(trace.rounds, exchange.rounds(trace), strict=True):
        calls = tuple(
            _made(call, resolve(call, tools), told.ok, told.text)
            for call, told in zip(done.calls, done.observations, strict=True)
        )
        texts = tuple(told.text for told in done.observations)
        turns.append(Turn(place, begin, "model", exchange.text(trace.tokens[place:begin]), calls))
        turns.append(Turn(begin, end, "observation", exchange.text(trace.tokens[begin:end]), (), texts))
        place = end
    if place < len(trace):
        turns.append(Turn(place, len(trace), "model", exchange.text(trace.tokens[place:])))
    work = exchange.work
    state, check = exchange.outcome(trace)
    made = [call for turn in turns for call in turn.calls]
    return TraceReport(
        exchange.format.name,
        environment,
        exchange.seed,
        exchange.chances > 1,
        tuple(turns),
        len(made),
        sum(call.ok for call in made),
        work.executed,
        work.replayed + exchange.copied,
        read,
        work.cut,
        work.seconds,
        _FINISHES.get(finish, finish),
        check,
        state,
        tuple(tool.schema for tool in tools),
    )


def _made(call: Call | BadCall, resolved: Call | BadCall, ok: bool, gave: str) -> MadeCall:
    if isinstance(resolved, Call):
        return MadeCall(resolved.name, dict(resolved.arguments), ok, gave)
    return MadeCall("", {}, ok, gave, resolved.text, resolved.problem)
