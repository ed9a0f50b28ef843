"""Tools: told in the model's own format, and its calls read back."""

from __future__ import annotations

import json

import pytest

from localpower.server import replies
from localpower.server.problems import ApiError
from localpower.server.toolcalls import Said, Turn, calls_of, prompted, tools_of, turn_of
from localpower.tools.calls import Call
from tests.server.conftest import chat, streamed

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
HERMES = "{% for t in tools %}{{ t | tojson }}{% endfor %}<tool_call>"
UNAWARE = "{% for m in messages %}{{ m.content }}{% endfor %}"


class Speaking:
    """A model of a template, whose tokens are letters."""

    def __init__(self, template):
        self.template, self.has_template = template, template is not None

    def spelled(self, token):
        return chr(token).encode()


def spoken(text):
    return tuple(map(ord, text))


def test_a_template_that_knows_tools_is_given_them():
    found = prompted(Speaking(HERMES), [Said("user", "Rain?")], tools_of([WEATHER], None))
    assert found.arguments == {"tools": [WEATHER]}
    assert found.said.messages == [{"role": "user", "content": "Rain?"}]


@pytest.mark.parametrize("template", [UNAWARE, None])
def test_any_other_model_is_told_in_words_and_stops_before_it_makes_a_result_up(template):
    found = prompted(Speaking(template), [Said("user", "Rain?")], tools_of([WEATHER], None))
    assert "weather(city" in found.said.messages[0]["content"]
    assert found.stops == ("\nResult:",)
    assert found.arguments == {}


def test_without_tools_a_conversation_is_as_it_was():
    found = prompted(Speaking(UNAWARE), [Said("system", "Be brief."), Said("user", "Rain?")], ())
    assert [m["content"] for m in found.said.messages] == ["Be brief.", "Rain?"]
    assert found.stops == ()


def test_calls_and_what_tools_gave_are_written_as_the_model_wrote_them():
    said = [
        Said("user", "Rain?"),
        Said("assistant", "", (Call("weather", {"city": "Ulm"}),)),
        Said("tool", "Sun"),
    ]
    known = prompted(Speaking(HERMES), said, ()).said.messages
    assert json.loads(known[1]["content"].removeprefix("<tool_call>").removesuffix("</tool_call>")) == {
        "name": "weather",
        "arguments": {"city": "Ulm"},
    }
    assert known[2] == {"role": "tool", "content": "Sun"}
    unaware = prompted(Speaking(UNAWARE), said, ()).said.messages
    assert unaware[1]["content"] == "Call: weather Ulm\n"
    assert unaware[2] == {"role": "user", "content": "Result: Sun\n"}


def test_calls_of_a_finished_answer_are_read_and_the_rest_is_what_it_said():
    text = 'I look.\n<tool_call>\n{"name": "weather", "arguments": {"city": "Ulm"}}\n</tool_call>'
    turn = turn_of(Speaking(HERMES), spoken(text), None)
    assert (turn.said, turn.calls) == ("I look.", (Call("weather", {"city": "Ulm"}),))
    function = turn.as_json()[0]["function"]
    assert (function["name"], json.loads(function["arguments"])) == ("weather", {"city": "Ulm"})
    assert turn_of(Speaking(HERMES), spoken("It rains."), None) is None
    assert turn_of(Speaking(HERMES), spoken("<tool_call>rubbish</tool_call>"), None) is None


def test_calls_in_tags_have_the_types_of_the_requests_schema():
    days = {"type": "object", "properties": {"days": {"type": "integer"}, "city": {"type": "string"}}}
    tools = tools_of([{"type": "function", "function": {"name": "weather", "parameters": days}}], None)
    tags = "<parameter=days>\n3\n</parameter>\n<parameter=city>\n3\n</parameter>\n</function>"
    text = f"<tool_call>\n<function=weather>\n{tags}\n</tool_call>"
    turn = turn_of(Speaking(f"{HERMES}<function="), spoken(f"I look.\n\n{text}"), None, tools)
    assert turn.said == "I look."
    assert json.loads(turn.as_json()[0]["function"]["arguments"]) == {"days": 3, "city": "3"}


@pytest.mark.parametrize(
    ("tools", "choice"),
    [
        (3, None),
        ([{}], None),
        ([{"type": "function"}], None),
        ([WEATHER], "required"),
        ([WEATHER] * 65, None),
    ],
)
def test_wrong_tools_are_refused(tools, choice):
    with pytest.raises(ApiError):
        tools_of(tools, choice)


def test_no_tool_is_told_where_none_may_be_called():
    assert tools_of([WEATHER], "none") == ()


@pytest.mark.parametrize("value", ["x", [{}], *([{"function": {"name": "f", "arguments": a}}] for a in "{3")])
def test_wrong_calls_of_a_message_are_refused(value):
    with pytest.raises(ApiError):
        calls_of(value, "messages[0].tool_calls")


def test_a_reply_and_a_stream_tell_the_calls(client, monkeypatch):
    monkeypatch.setattr(replies, "turn_of", lambda *_: Turn("I look.", (Call("weather", {"city": "Ulm"}),)))
    whole = client.post("/v1/chat/completions", json=chat(tools=[WEATHER])).json()["choices"][0]
    assert whole["finish_reason"] == "tool_calls"
    assert whole["message"]["content"] == "I look."
    assert whole["message"]["tool_calls"][0]["function"]["name"] == "weather"
    told = [data for _, data in streamed(client, tools=[WEATHER])][:-1]
    deltas = [d["choices"][0]["delta"] for d in told]
    assert "".join(delta.get("content") or "" for delta in deltas) == "I look."
    assert [d["tool_calls"][0]["index"] for d in deltas if "tool_calls" in d] == [0]
    assert told[-1]["choices"][0]["finish_reason"] == "tool_calls"
    plain = client.post("/v1/chat/completions", json=chat()).json()["choices"][0]
    assert "tool_calls" not in plain["message"], "nobody gave it tools"


def test_a_conversation_with_calls_is_answered(client):
    call = {"id": "1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    said = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "two"},
    ]
    assert client.post("/v1/chat/completions", json=chat(messages=said, tools=[WEATHER])).status_code == 200
