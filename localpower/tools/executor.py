"""Makes a call, whatever it does, and tells what came of it in one observation."""

from __future__ import annotations

import copy
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from localpower.errors import Interrupted
from localpower.tools import schema
from localpower.tools.calls import BadCall, Call, Observation
from localpower.tools.environment import Environment, Tool

_UNREADABLE = re.compile("[\ud800-\udfff\x00-\x08\x0b-\x1f\x7f]")  # no text, or orders to a terminal
_LONGEST_PROBLEM = 300
_LONGEST = 2000


def resolve(call: Call | BadCall, tools: Sequence[Tool]) -> Call | BadCall:
    """The call with its tool's name and named arguments, if it can be made; else what is wrong with it."""
    if isinstance(call, BadCall):
        return call
    by_name = {tool.name: tool for tool in tools}
    name = call.name or (next(iter(by_name)) if len(by_name) == 1 else "")
    if name not in by_name:
        known = ", ".join(by_name) or "none"
        return BadCall(_shown(call), f"there is no tool {name[:40]!r} (there is: {known})")
    tool = by_name[name]
    try:
        arguments = typed(call, tools).arguments if call.bare is None else _named(call.bare, tool)
        if arguments is None:
            return BadCall(_shown(call), f"{name} takes its arguments by name, as a JSON object")
        wrong = schema.problem(arguments, {"type": "object"} | dict(tool.parameters))
    except (TypeError, AttributeError, KeyError, ValueError):  # an environment of the user's may say anything
        return BadCall(_shown(call), f"the schema of {name} is no JSON schema of an object")
    return BadCall(_shown(call), f"{name}: {wrong}") if wrong else Call(name, arguments)


def typed(call: Call, tools: Sequence[Tool]) -> Call:
    """Where a call has texts: with what they stand for in the schema of its tool, if that is one."""
    if not call.texts:
        return call
    known: Any = next((tool.parameters.get("properties") for tool in tools if tool.name == call.name), {})
    try:
        values = {key: schema.of_text(str(text), known.get(key, {})) for key, text in call.arguments.items()}
    except (TypeError, AttributeError):
        values = dict(call.arguments)
    return Call(call.name, values)


def execute(
    environment: Environment,
    call: Call | BadCall,
    longest: int = _LONGEST,
    clock: Callable[[], float] = time.perf_counter,
) -> Observation:
    """The observation of a call. Raises nothing but KeyboardInterrupt and localpower.errors.Interrupted.

    longest: characters of its text; what is longer is cut, and the text says so. A call that could not be read, names
    no tool or has arguments that do not fit its schema is not executed. What the tool prints, and how long it may take,
    is for the environment to say: those of files and packages run in a process of their own (remote.py).
    """
    start = clock()
    try:
        found = resolve(call, environment.tools)
        if isinstance(found, BadCall):
            return Observation(readable(f"Error: {found.problem}", longest), ok=False, executed=False)
        start = clock()
        arguments = copy.deepcopy(found.arguments)  # a tool may change them, and the call may be made again
        text, ok = text_of(environment.call(found.name, arguments)), True
    except (KeyboardInterrupt, Interrupted):
        raise
    except BaseException as error:  # SystemExit too: a tool ends no process of ours
        text, ok = f"Error: {_said(error)}", False
    return Observation(readable(text, longest), ok, executed=True, seconds=clock() - start)


def readable(text: str, characters: int) -> str:
    """Valid Unicode without control characters, of so many characters at most and at least one."""
    cut = len(text) > characters
    shown = _UNREADABLE.sub("\ufffd", text[:characters].replace("\r\n", "\n"))
    if cut:
        shown += f"... (cut: {len(text):,} characters)"
    return shown if shown.strip() else "(no text)"


def _named(bare: str, tool: Tool) -> Mapping[str, Any] | None:
    """The only argument by its name, None where there is not one: a text, or what its type makes of the text."""
    parameters: Mapping[str, Any] = tool.parameters
    known: Mapping[str, Any] = parameters.get("properties") or {}
    required: list[str] = [name for name in parameters.get("required") or () if name in known]
    names = required or list(known)
    if not bare.strip() and not required:
        return {}
    if len(names) != 1:
        return None
    return {names[0]: schema.of_text(bare.strip(), known[names[0]])}


def text_of(given: Any) -> str:
    """What a tool gave, as text: JSON where it is no text."""
    if isinstance(given, str):
        return given
    try:
        return json.dumps(given, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return str(given)


def _said(error: BaseException) -> str:
    """One line of what was raised."""
    try:
        said = " ".join(str(error).split())[:_LONGEST_PROBLEM]
    except Exception:  # a message that cannot even be told
        said = ""
    if isinstance(error, SystemExit):
        return "the tool tried to end the process"
    if type(error).__name__ == "ToolRaised":  # of another process: it has the name in it
        return said
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _shown(call: Call) -> str:
    arguments = call.bare if call.bare is not None else json.dumps(dict(call.arguments), default=str)
    return f"{call.name} {arguments}"[:200]
