"""The format of Qwen3-Coder, Qwen 3.5 and later, and Nemotron 3: the arguments of a call stand in tags of their own.

Values are texts without any escape, so that one may spell the tags themselves. Where a value ends is told by what
follows, and what then does not fit is no call: no tool is ever given a part of a value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from localpower.tools.calls import BadCall, Call, is_json
from localpower.tools.environment import Json, Tool
from localpower.tools.markup import MOST_CALLS, SHOWN, Hermes, after_thoughts, few

_OPENS = re.compile(  # models forget the outer tag: a function may begin a line, or follow the end of another
    r"<tool_call>\s*|(?:^|(?<=call>|tion>))[ \t]*(?=<function=)", re.MULTILINE
)
_FUNCTION = re.compile(r"<function=([^>\n]+)>\s*")
_PARAMETER = re.compile(r"<parameter=([^>\n]+)>\n?")
_CLOSES = (
    r"(?:</function>\s*(?:</tool_call>|(?=<tool_call>|<function=)|\Z)|\Z)"  # an end may lack its last tags
)
_CALL_END = re.compile(_CLOSES)
_VALUE_END = re.compile(rf"\n?</parameter>\s*(?=<parameter=[^>\n]+>|{_CLOSES})")
_UNCLOSED = re.compile(r"^<parameter=[^>\n]+>", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Qwen3Coder(Hermes):
    """`<tool_call><function=NAME><parameter=KEY>VALUE</parameter></function></tool_call>`, each tag on its own line.

    What tools give is a turn of the template's role `tool`, in `<tool_response>`. A turn ends with its end token.
    """

    name: str = "qwen3-coder"
    role: str = "tool"

    def calls(self, turn: str) -> list[Call | BadCall]:
        """All calls of the turn with their arguments as texts; one bad call where any of its tags does not fit."""
        said = after_thoughts(turn)
        found: list[Call | BadCall] = []
        place = 0
        while len(found) <= MOST_CALLS:
            opened = _OPENS.search(said, place)
            if found and "</parameter>" in said[place : opened.start() if opened else None]:
                return [BadCall(turn[-SHOWN:], "a value has the tags that end a call in it")]
            if opened is None:
                break
            call, place = _read(said, opened.end())
            if isinstance(call, BadCall):
                return [call]
            found.append(call)
        return few(found)

    def instructions(self, tools: Sequence[Tool]) -> str:
        """Schemas in `<tools>`, and how a call is written."""
        schemas = "\n".join(json.dumps(tool.schema, ensure_ascii=False) for tool in tools)
        return (
            f"You may call functions. Their signatures are within <tools></tools>:\n<tools>\n{schemas}\n</tools>\n\n"
            "Write each call in these tags, with the value of each argument as it is, over several lines if need be:\n"
            + self.written(Call("NAME", {"ARGUMENT": "VALUE"}))
        )

    def written(self, call: Call) -> str:
        """Each tag on its own line."""
        values = "".join(
            f"<parameter={key}>\n{_text(value)}\n</parameter>\n" for key, value in call.arguments.items()
        )
        return f"<tool_call>\n<function={call.name}>\n{values}</function>\n</tool_call>"

    def before(self, turn: str) -> str:
        """Thoughts are part of it."""
        thought, mark, said = turn.rpartition("</think>")
        opened = _OPENS.search(said)
        return f"{thought}{mark}{said[: opened.start()]}".strip() if opened else turn


def _read(said: str, place: int) -> tuple[Call | BadCall, int]:
    """The call that begins there, and the place after it."""
    begin = place

    def bad(problem: str) -> tuple[BadCall, int]:
        return BadCall(said[begin : begin + SHOWN], problem), place

    function = _FUNCTION.match(said, place)
    if function is None:
        return bad("<function=NAME> must follow <tool_call>")
    place = function.end()
    texts: dict[str, Json] = {}
    while parameter := _PARAMETER.match(said, place):
        key, place = parameter[1].strip(), parameter.end()
        end = _VALUE_END.search(said, place)
        if end is None or _UNCLOSED.search(said[place : end.start()]):
            return bad(f"the argument {key[:40]} has no </parameter> before the next tag")
        if key in texts:
            return bad(f"the argument {key[:40]} is given twice")
        texts[key], place = said[place : end.start()], end.end()
    closed = _CALL_END.match(said, place)
    if closed is None:
        return bad("within <function=NAME> stand only <parameter=KEY>, its value and </parameter>")
    call = Call(function[1].strip(), texts, texts=True)
    if not call.name or not is_json([call.name, texts]):
        return bad("the call is no valid text")
    return call, closed.end()


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
