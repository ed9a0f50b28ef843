"""The formats of instruct models: Hermes and Qwen (`<tool_call>`), and the JSON of Llama 3."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localpower import jsonl
from localpower.tools.calls import BadCall, Call, Observation, is_json
from localpower.tools.environment import Tool
from localpower.tools.formats import Frame, Piece

_OPEN, _CLOSE, _TAG = "<tool_call>", "</tool_call>", "<|python_tag|>"
_TOLD, _TOLD_END = "<tool_response>", "</tool_response>"
_BETWEEN = re.compile(r"[\s;]*")
SHOWN = 200  # characters of a bad call that are kept
MOST_CALLS = 16  # of one turn


def _refuse(name: str) -> None:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_refuse)


@dataclass(frozen=True, slots=True)
class Hermes:
    """`<tool_call>{"name": ..., "arguments": {...}}</tool_call>`, as often as wanted; answers in `<tool_response>`."""

    name: str = "hermes"
    role: str = "user"  # where the templates of Qwen and Hermes put it
    marks: None = None

    def calls(self, turn: str) -> list[Call | BadCall]:
        """What stands between the tags; the last closing tag may be missing."""
        said = after_thoughts(turn)
        found: list[Call | BadCall] = []
        for part in said.split(_OPEN, MOST_CALLS + 1)[1:]:
            body = part.partition(_CLOSE)[0].strip()
            found.append(_call_of(body, ("arguments", "parameters")))
        return few(found)

    def over(self, turn: str) -> bool:
        """Never: a turn may hold several calls, and ends with the end token."""
        return False

    def opening(self, observations: Sequence[Observation], frame: Frame) -> list[Piece]:
        """Every observation in its own tags, all in one turn. The outer tags may be the template's."""
        tagged = _TOLD in frame.before
        pieces = [Piece(frame.before + ("" if tagged else f"{_TOLD}\n"), control=True)]
        for i, observation in enumerate(observations):
            if i:
                pieces.append(Piece(f"\n{_TOLD_END}\n{_TOLD}\n", control=True))
            pieces.append(Piece(observation.text))
        return [*pieces, Piece(("" if tagged else f"\n{_TOLD_END}") + frame.after, control=True)]

    def instructions(self, tools: Sequence[Tool]) -> str:
        """Schemas in `<tools>`, and how a call is written."""
        schemas = "\n".join(json.dumps(tool.schema, ensure_ascii=False) for tool in tools)
        return (
            f"You may call functions. Their signatures are within <tools></tools>:\n<tools>\n{schemas}\n</tools>\n\n"
            "For each call, write a JSON object with the function's name and arguments within <tool_call></tool_call>:"
            f'\n{_OPEN}\n{{"name": "NAME", "arguments": {{...}}}}\n{_CLOSE}'
        )

    def written(self, call: Call) -> str:
        """With its tags."""
        body = json.dumps({"name": call.name, "arguments": dict(call.arguments)}, ensure_ascii=False)
        return f"{_OPEN}\n{body}\n{_CLOSE}"

    def before(self, turn: str) -> str:
        """Thoughts are part of it."""
        first = turn.find(_OPEN, max(turn.rfind("</think>"), 0))
        return turn[:first].strip() if first >= 0 else turn


@dataclass(frozen=True, slots=True)
class Llama3:
    """`{"name": ..., "parameters": {...}}` alone in a turn, `<|python_tag|>` before it or not; several after `;`."""

    name: str = "llama3"
    role: str = "tool"
    marks: None = None

    def calls(self, turn: str) -> list[Call | BadCall]:
        """Of a turn that begins with an object of a name and parameters, or with the tag; any other is an answer."""
        said = after_thoughts(turn).strip()
        tagged = said.startswith(_TAG)
        said = said.removeprefix(_TAG).strip()
        alike = '"name"' in said and ('"parameters"' in said or '"arguments"' in said)
        if not tagged and not (said.startswith("{") and alike):
            return []
        found: list[Call | BadCall] = []
        place = 0
        while place < len(said) and len(found) <= MOST_CALLS:
            try:
                value, end = _DECODER.raw_decode(said, place)
            except (ValueError, RecursionError):
                found.append(BadCall(said[place : place + SHOWN], "the call is no JSON object"))
                break
            found.append(_call_from(value, said[place:end], ("parameters", "arguments")))
            between = _BETWEEN.match(said, end)
            place = between.end() if between else end
        return few(found or [BadCall("", "the call is no JSON object")])

    def over(self, turn: str) -> bool:
        """Never: the turn ends with the end token."""
        return False

    def opening(self, observations: Sequence[Observation], frame: Frame) -> list[Piece]:
        """One turn; several observations on lines of their own."""
        pieces = [Piece(frame.before, control=True)]
        for i, observation in enumerate(observations):
            pieces.append(Piece(("\n" if i else "") + observation.text))
        return [*pieces, Piece(frame.after, control=True)]

    def instructions(self, tools: Sequence[Tool]) -> str:
        """Schemas, and how a call is written."""
        schemas = "\n\n".join(json.dumps(tool.schema, ensure_ascii=False, indent=4) for tool in tools)
        return (
            "You have these functions. To call one, answer with nothing but a JSON object of the form "
            '{"name": "NAME", "parameters": {"ARGUMENT": "VALUE"}}. Use no variables. '
            f"When you know the answer, say it in words.\n\n{schemas}"
        )

    def written(self, call: Call) -> str:
        """Without the tag."""
        return json.dumps({"name": call.name, "parameters": dict(call.arguments)}, ensure_ascii=False)

    def before(self, turn: str) -> str:
        """Thoughts, and nothing else."""
        thought, mark, _ = turn.rpartition("</think>")
        return (thought + mark).strip()


def after_thoughts(turn: str) -> str:
    """What follows the thoughts: a call that is only thought about is none. An open thought has nothing after it."""
    before, mark, after = turn.rpartition("</think>")
    said = after if mark else before + after
    return said.partition("<think>")[0]


def _call_of(body: str, keys: tuple[str, ...]) -> Call | BadCall:
    try:
        value = jsonl.loads(body)
    except (ValueError, RecursionError):
        return BadCall(body[:SHOWN], "the call is no JSON object")
    return _call_from(value, body, keys)


def _call_from(value: Any, text: str, keys: tuple[str, ...]) -> Call | BadCall:
    """keys: under which the arguments may lie; they may be an object, or the JSON text of one, or be missing."""
    shown = text[:SHOWN]
    if not isinstance(value, dict):
        return BadCall(shown, "the call is no JSON object")
    if isinstance(value.get("function"), dict):  # as trainers' files write it
        value = value["function"]
    name = value.get("name")
    if not isinstance(name, str) or not name:
        return BadCall(shown, 'the call has no "name"')
    given: Any = next((value[key] for key in keys if value.get(key) is not None), {})
    if isinstance(given, str):
        try:
            given = jsonl.loads(given)
        except (ValueError, RecursionError):
            return BadCall(shown, f"the {keys[0]} are no JSON object")
    if not isinstance(given, Mapping) or not is_json([name, given]):
        return BadCall(shown, f"the {keys[0]} are no JSON object")
    return Call(name, dict(given))


def few(found: list[Call | BadCall]) -> list[Call | BadCall]:
    """What a turn may call at once; one more entry says that there was more."""
    if len(found) <= MOST_CALLS:
        return found
    return [*found[:MOST_CALLS], BadCall("", f"a turn makes at most {MOST_CALLS} calls")]
