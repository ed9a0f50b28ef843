"""Tools of chat requests: told to the model in its own format, and its calls read back out of a finished answer.

The server runs no tool: the client does, and sends what it gave as messages of the role `tool`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from localpower import jsonl
from localpower.loaded import Loaded
from localpower.loaded.tooling import instructed
from localpower.model import Tokens
from localpower.server.fields import Fields
from localpower.server.problems import invalid
from localpower.text.conversation import Conversation
from localpower.text.frames import knows_tools
from localpower.text.thinking import Thought, split
from localpower.tools.calls import Call, Observation
from localpower.tools.environment import Tool
from localpower.tools.executor import typed
from localpower.tools.formats import Frame, ToolFormat, choose

_MOST_TOOLS = 64
_RESULT = "\nResult:"  # where a model without a format of its own would go on and make up what a tool gave


@dataclass(frozen=True, slots=True)
class Said:
    """A message. calls: of an assistant's message."""

    role: str
    content: str
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class Prompted:
    """A conversation in the model's format. arguments: variables of its template. stops: that the format adds."""

    said: Conversation
    arguments: dict[str, Any]
    stops: tuple[str, ...] = ()


def tools_of(value: Any, choice: Any) -> tuple[Tool, ...]:
    """Of the fields `tools` and `tool_choice`. Raises ApiError."""
    if choice not in (None, "auto", "none"):
        raise invalid(
            "tool_choice must be auto or none: to force a call would change the target", "tool_choice"
        )
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > _MOST_TOOLS:
        raise invalid(f"tools must be a list of up to {_MOST_TOOLS} functions", "tools")
    found = tuple(_tool(each, f"tools[{i}]") for i, each in enumerate(value))
    return () if choice == "none" else found


def _tool(value: Any, path: str) -> Tool:
    fields = Fields(value, path)
    if fields.text("type") != "function":
        raise invalid(f"{path}.type must be function", path)
    function = Fields(fields.take("function") or {}, f"{path}.function")
    name, about, parameters = function.text("name"), function.text("description"), function.take("parameters")
    if not name:
        raise invalid(f"{path}.function.name is missing", path)
    if not isinstance(parameters, dict | None):
        raise invalid(f"{path}.function.parameters must be a JSON schema", path)
    return Tool(name, about or "", **({} if parameters is None else {"parameters": parameters}))


def calls_of(value: Any, path: str) -> tuple[Call, ...]:
    """Of an assistant's message that a client sends back. Raises ApiError."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise invalid(f"{path} must be a list of calls", path)
    found = []
    for i, each in enumerate(value):
        function = Fields(Fields(each, f"{path}[{i}]").take("function") or {}, f"{path}[{i}].function")
        name, arguments = function.text("name"), function.text("arguments")
        try:
            given = jsonl.loads(arguments or "{}")
        except (ValueError, RecursionError):
            given = None
        if not name or not isinstance(given, dict):
            raise invalid(
                f"{path}[{i}].function needs a name, and arguments that are the JSON of an object", path
            )
        found.append(Call(name, given))
    return tuple(found)


def prompted(loaded: Loaded, messages: Sequence[Said], tools: Sequence[Tool]) -> Prompted:
    """The conversation as the model is to read it."""
    form, known = choose(loaded.template), loaded.has_template and knows_tools(loaded.template)
    said = Conversation(_told(messages, form, known=known))
    if not tools:
        return Prompted(said, {})
    stops = () if form.role else (_RESULT,)
    if known and form.role:
        return Prompted(said, {"tools": [tool.schema for tool in tools]}, stops)
    return Prompted(instructed(said, form.instructions(tools), chat=loaded.has_template), {}, stops)


def _told(messages: Sequence[Said], form: ToolFormat, *, known: bool) -> list[dict[str, str]]:
    """As texts. What tools gave is a turn of the template's own where it has one, else of the user."""
    found: list[dict[str, str]] = []
    results: list[Observation] = []

    def bring() -> None:
        if results:
            text = "".join(piece.text for piece in form.opening(results, Frame()))
            found.append({"role": form.role if form.role != "tool" else "user", "content": text})
            results.clear()

    for message in messages:
        if message.role == "tool" and not known:
            results.append(Observation(message.content, ok=True, executed=True))
            continue
        bring()
        content = "\n".join(filter(None, (message.content, *map(form.written, message.calls))))
        found.append({"role": message.role, "content": content})
    bring()
    return [each | {"role": each["role"] or "user"} for each in found]


@dataclass(frozen=True, slots=True)
class Turn:
    """A finished answer that calls. said: what it says before its calls."""

    said: str
    calls: tuple[Call, ...]

    def as_json(self) -> list[dict[str, Any]]:
        """As OpenAI's clients have it, with ids of our own."""
        return [
            {
                "id": f"call_{uuid.uuid4().hex[:24]}",
                "type": "function",
                "function": {
                    "name": call.name,
                    "arguments": json.dumps(dict(call.arguments), ensure_ascii=False),
                },
            }
            for call in self.calls
        ]


def turn_of(
    loaded: Loaded, tokens: Tokens, thought: Thought | None, tools: Sequence[Tool] = ()
) -> Turn | None:
    """The calls of a finished answer, of these tools; None where it has none that can be read."""
    form = choose(loaded.template)
    text = b"".join(map(loaded.spelled, tokens)).decode("utf-8", "replace")
    calls = tuple(typed(call, tools) for call in form.calls(text) if isinstance(call, Call))
    if not calls:
        return None
    said = form.before(text)
    if thought is not None:
        said = split(said, thought.marks, opened=thought.begins(tokens) is not None)[1]
    return Turn(said.strip(), calls)
