"""Calls in the text of a turn: what is read as one, what is a bad one, and what is an answer."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localpower.errors import UsageProblem
from localpower.tools.calls import BadCall, Call, Observation
from localpower.tools.environment import Tool
from localpower.tools.formats import NAMES, Frame, choose, find

ADD = Call("add", {"a": 1, "b": 2})
PARTS = (
    *("<tool_call>", "</tool_call>", "<think>", "</think>", "<|python_tag|>", "Call: ", "Call:", "[", "]"),
    *(
        '{"name": "add", "arguments": {"a": 1, "b": 2}}',
        '{"name": "add", "parameters": {}}',
        '{"name"',
        "{",
        "}",
    ),
    *('"arguments"', "\n", ";", " ", "1e999", "NaN", '"\\ud800"', "add", "(", ")", "é", "\u2028", "\x00"),
)


@pytest.mark.parametrize("name", NAMES)
@given(st.lists(st.sampled_from(PARTS), max_size=30))
@settings(max_examples=60, deadline=None)
def test_any_text_gives_calls_that_can_be_written_as_json(name, parts):
    for call in find(name).calls("".join(parts)):
        assert isinstance(call, BadCall) or json.dumps(dict(call.arguments), allow_nan=False)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "part", ["<tool_call>", "[", "{", "Call: ", ' {"name": "a", "parameters": {}};', "(", " \t"]
)
def test_a_megabyte_of_one_part_gives_few_calls(name, part):
    turn = part * (1_000_000 // len(part))
    assert len(find(name).calls(turn)) <= 17
    assert find(name).over(turn) in (True, False)


@pytest.mark.parametrize("name", ["hermes", "llama3", "plain"])
def test_a_written_call_is_read_as_it_was(name):
    assert find(name).calls(find(name).written(ADD)) == [ADD]


@pytest.mark.parametrize(
    "turn",
    [
        '<tool_call>\n{"name": "add", "arguments": {"a": 1, "b": 2}}\n</tool_call>',
        'I add.<tool_call>{"name": "add", "arguments": {"a": 1, "b": 2}}',  # no closing tag
        '<tool_call>{"name": "add", "arguments": "{\\"a\\": 1, \\"b\\": 2}"}</tool_call>',  # arguments as text
        '<tool_call>{"type": "function", "function": {"name": "add", "arguments": {"a": 1, "b": 2}}}</tool_call>',
        '<think><tool_call>{"name": "no"}</tool_call></think><tool_call>{"name":"add","arguments":{"a":1,"b":2}}',
    ],
)
def test_hermes_calls_are_read_in_the_spellings_of_models(turn):
    assert find("hermes").calls(turn) == [ADD]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "add(1, 2)",
        "[1]",
        '{"arguments": {}}',
        '{"name": 3}',
        '{"name": "a", "arguments": [1]}',
        '{"name": "a", "arguments": {"x": 1e999}}',
        '{"name": "a", "arguments": {"x": "\\ud800"}}',
    ],
)
def test_a_hermes_call_that_cannot_be_read_is_a_bad_call(body):
    (call,) = find("hermes").calls(f"<tool_call>{body}</tool_call>")
    assert isinstance(call, BadCall)


@pytest.mark.parametrize("turn", ["The sum is 3.", "<think>a <tool_call>{}</tool_call>", "tool_call", ""])
def test_a_hermes_turn_without_a_call_makes_none(turn):
    assert find("hermes").calls(turn) == []


def test_llama3_takes_json_alone_in_a_turn_with_or_without_the_tag():
    text = '{"name": "add", "parameters": {"a": 1, "b": 2}}'
    for turn in (text, f"<|python_tag|>{text}", f"  {text}\n"):
        assert find("llama3").calls(turn) == [ADD]
    assert find("llama3").calls(f"{text}; {text}") == [ADD, ADD]


@pytest.mark.parametrize(
    "turn", ['{"city": "Paris"}', '{"name": "Bob", "age": 3}', f"I use {{}} and {ADD.name}", "3"]
)
def test_an_answer_that_is_json_is_no_llama3_call(turn):
    assert find("llama3").calls(turn) == []


def test_plain_calls_name_their_arguments_or_have_one_bare_text():
    calls = find("plain").calls
    assert calls('Call: add {"a": 1, "b": 2}\n') == [ADD]
    for turn in (
        "Call: calculator 12 * 34\n",
        "I reckon.\n Call: calculator: 12 * 34",
        "Call: calculator(12 * 34)\n",
    ):
        assert calls(turn) == [Call("calculator", {}, "12 * 34")]
    assert calls("Call: calculator (1) + (2)") == [Call("calculator", {}, "(1) + (2)")]
    assert isinstance(calls("Call: {}\n")[0], BadCall)
    assert isinstance(calls("Call: add {1}\n")[0], BadCall)
    assert calls("Recall: add 3\nAnswer: 3") == []


def test_a_plain_turn_is_over_when_its_call_line_is():
    over = find("plain").over
    assert [
        over(turn) for turn in ("Call: add 1", "Call: add 1\n", "I call\nCall: x\n\n", "Recall: x\n")
    ] == [*(False, True, True, False)]


def test_a_plain_call_inside_a_thought_is_none_and_ends_no_turn():
    plain, call = find("plain"), "Call: add 1\n"
    thought = f"<think>\n{call}</think>\n"
    for turn in (f"<think>{call}", f"<think>\n{call}", thought):
        assert (plain.calls(turn), plain.over(turn)) == ([], False)
    assert plain.calls(f"{thought}{call}") == [Call("add", {}, "1")]
    assert plain.over(f"{thought}{call}")
    assert plain.before(f"{thought}{call}") == thought.strip()


def test_an_inline_call_is_over_with_its_bracket():
    inline = find("inline")
    assert [inline.over(turn) for turn in ("[1*2", "[1*2]", "]3", "]3[4]")] == [False, True, False, True]
    assert inline.calls("a[1*2]") == [Call("", {}, "1*2")]
    assert inline.calls("a[1*2") == inline.calls(">3]") == []


@pytest.mark.parametrize("name", NAMES)
def test_an_observation_is_never_read_for_control_texts(name):
    """What a tool says is in pieces without control texts, whatever it spells."""
    seen = [Observation("<|im_end|>one", ok=True, executed=True), Observation("two", ok=True, executed=True)]
    pieces = find(name).opening(seen, Frame("<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n"))
    assert not any("one" in piece.text or "two" in piece.text for piece in pieces if piece.control)
    text = "".join(piece.text for piece in pieces if not piece.control)
    assert text.index("<|im_end|>one") < text.index("two")


def test_an_inline_error_is_a_question_mark():
    assert (
        find("inline").opening([Observation("Error: long", ok=False, executed=False)], Frame())[0].text == "?"
    )


@pytest.mark.parametrize("name", NAMES)
def test_instructions_name_every_tool_and_argument(name):
    tools = [Tool("add", "Adds.", {"type": "object", "properties": {"first": {}, "second": {}}})]
    said = find(name).instructions(tools)
    assert all(word in said for word in ("add", "first", "second"))
    assert find(name).instructions([]) is not None


def test_the_format_is_the_templates_else_plain():
    assert choose(None).name == choose("{{ messages }}").name == "plain"
    assert choose("... <tool_call> ...").name == "hermes"
    assert choose("... <|python_tag|> ...").name == "llama3"
    assert choose("... <tool_call>\n<function= ...").name == "qwen3-coder"
    assert choose("<tool_call>", "inline").name == "inline"
    with pytest.raises(UsageProblem, match="plian"):
        choose(None, "plian")


@pytest.mark.parametrize(
    "template",
    ["<tool_call>{{ name }}\n<arg_key>", "<tool_call><invoke name=", "<seed:tool_call>\n<function="],
)
def test_templates_with_calls_in_a_form_that_is_not_read_have_the_plain_one(template):
    assert choose(template).name == "plain"
