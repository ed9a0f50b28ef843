"""Formats of plain text, for base models and small ones: a line that begins with `Call:`, and `[...]` within a line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from localpower import jsonl
from localpower.tools.calls import BadCall, Call, Observation, is_json
from localpower.tools.environment import Tool
from localpower.tools.formats import Frame, Piece
from localpower.tools.markup import after_thoughts

_LINE = re.compile(r"^[ \t]*Call:[ \t]*(.*)$", re.MULTILINE)
_COMPLETE = re.compile(r"^[ \t]*Call:[^\n]*\n", re.MULTILINE)
_NAME = re.compile(r"([^\W\d][\w.-]*)[ \t]*:?[ \t]*(.*)$")
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Plain:
    """`Call: NAME {"argument": ...}`, or the bare text of an only argument: `Call: calculator 12 * 34`.

    The line's end ends the turn; `Result: ` and the observation follow.
    """

    name: str = "plain"
    role: str = ""
    marks: tuple[str, str] = ("Call:", "\n")

    def calls(self, turn: str) -> list[Call | BadCall]:
        """The first line after the thoughts that begins with `Call:`; the turn was over with it."""
        found = _LINE.search(after_thoughts(turn))
        return [_call_of(found[1].strip())] if found else []

    def over(self, turn: str) -> bool:
        """Once a line that begins with `Call:` has ended; not in a thought."""
        return "Call:" in turn and _COMPLETE.search(after_thoughts(turn)) is not None

    def opening(self, observations: Sequence[Observation], frame: Frame) -> list[Piece]:
        """Lines that begin with `Result: `; no turn of the template."""
        return [Piece(f"Result: {observation.text.strip()}\n") for observation in observations]

    def instructions(self, tools: Sequence[Tool]) -> str:
        """The tools, a line each, and how a call is written."""
        lines = [f"{_signature(tool)}: {' '.join(tool.description.split())}" for tool in tools]
        return (
            "You can use these tools:\n" + "\n".join(lines) + "\n"
            'To use one, write a line such as `Call: NAME {"ARGUMENT": VALUE}`. Its result follows on the next line. '
            "Then go on, and end with a line that begins with `Answer:`."
        )

    def written(self, call: Call) -> str:
        """A line, with its end."""
        only = next(iter(call.arguments.values())) if len(call.arguments) == 1 else None
        bare = call.bare if call.bare is not None else only
        if isinstance(bare, str) and bare.strip() and "\n" not in bare and not bare.lstrip().startswith("{"):
            return f"Call: {call.name} {bare}\n"
        return f"Call: {call.name} {json.dumps(dict(call.arguments), ensure_ascii=False)}\n"

    def before(self, turn: str) -> str:
        """The lines before that of the call; thoughts are part of it."""
        thought, mark, said = turn.rpartition("</think>")
        found = _LINE.search(said)
        return f"{thought}{mark}{said[: found.start()]}".strip() if found else turn


@dataclass(frozen=True, slots=True)
class Inline:
    """`[ARGUMENT]` calls the only tool; what it gives follows at once, `?` where it gives an error.

    For models of a small alphabet, such as those of the laboratory.
    """

    name: str = "inline"
    role: str = ""
    marks: tuple[str, str] = ("[", "]")

    def calls(self, turn: str) -> list[Call | BadCall]:
        """The first `[...]`."""
        _, mark, rest = turn.partition("[")
        body, close, _ = rest.partition("]")
        if not mark or not close:  # a bracket that is still open when the turn ends calls nothing
            return []
        return [Call("", {}, body)]

    def over(self, turn: str) -> bool:
        """Once the bracket is closed."""
        return "]" in turn.partition("[")[2]

    def opening(self, observations: Sequence[Observation], frame: Frame) -> list[Piece]:
        """The texts alone."""
        return [Piece(observation.text if observation.ok else "?") for observation in observations]

    def instructions(self, tools: Sequence[Tool]) -> str:
        """One line."""
        return f"[...] calls {_signature(tools[0])}; its result follows." if tools else ""

    def written(self, call: Call) -> str:
        """In brackets."""
        only = call.bare if call.bare is not None else next(iter(call.arguments.values()), "")
        return f"[{only}]"

    def before(self, turn: str) -> str:
        """Up to the bracket."""
        return turn.partition("[")[0]


def _call_of(body: str) -> Call | BadCall:
    found = _NAME.match(body)
    if found is None:
        return BadCall(body[:_SHOWN], "after Call: stands the name of a tool")
    name, rest = found[1], found[2].strip()
    if rest.startswith("(") and rest.endswith(")"):  # calculator(12 * 34), as programs write it
        inner = rest[1:-1].strip()
        rest = inner if _balanced(inner) else rest
    if not rest.startswith("{"):
        return Call(name, {}, rest)
    try:
        given = jsonl.loads(rest)
    except (ValueError, RecursionError):
        return BadCall(body[:_SHOWN], "the arguments are no JSON object")
    if not isinstance(given, Mapping) or not is_json(given):
        return BadCall(body[:_SHOWN], "the arguments are no JSON object")
    return Call(name, dict(given))


def _balanced(text: str) -> bool:
    """Whether every bracket in it closes one that it opened: (1)+(2) is not in brackets as a whole."""
    depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return False
    return depth == 0


def _signature(tool: Tool) -> str:
    known = tool.parameters.get("properties")
    return f"{tool.name}({', '.join(known) if isinstance(known, Mapping) else ''})"
