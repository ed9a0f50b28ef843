"""Calls whose arguments stand in tags: what is read, what a value may spell, and the law of traces with them."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localpower.completion import Rules
from localpower.samplers.acceptance import StepVariant
from localpower.samplers.cuts import cut_law
from localpower.samplers.kernel import ChainState, Kernel, Optimizations
from localpower.tools.calls import BadCall, Call
from localpower.tools.environment import Tool
from localpower.tools.executor import resolve, typed
from localpower.tools.formats import find
from tests.samplers.small import invariance_error
from tests.tools import tagged, traces

FORM = find("qwen3-coder")
ENDS = "\n</parameter>\n</function>\n</tool_call>"


def texts(name, **arguments):
    return Call(name, arguments, texts=True)


def valued(value):
    """A turn that calls f with the argument a."""
    return f"<tool_call>\n<function=f>\n<parameter=a>\n{value}{ENDS}"


@pytest.mark.parametrize(
    "turn",
    [
        "<tool_call>\n<function=f>\n<parameter=a>\n1\n</parameter>\n<parameter=b>\nx\n</parameter>\n</function>\n</tool_call>",
        "<tool_call><function=f><parameter=a>1</parameter><parameter=b>x</parameter></function></tool_call>",
        "I look.\n\n<function=f>\n<parameter=a>\n1\n</parameter>\n<parameter=b>\nx\n</parameter>\n</function>\n</tool_call>",
        "<tool_call>\n<function=f>\n<parameter=a>\n1\n</parameter>\n<parameter=b>\nx\n</parameter>\n</function>",
        "<tool_call>\n<function=f>\n<parameter=a>\n1\n</parameter>\n<parameter=b>\nx\n</parameter>",
        f"<think>{valued(3)}</think>\n<function=f>\n<parameter=a>\n1\n</parameter>\n<parameter=b>\nx\n</parameter>",
    ],
    ids=["template", "one line", "no outer tag", "no last tag", "no last tags", "after a thought"],
)
def test_calls_are_read_in_the_spellings_of_models(turn):
    assert FORM.calls(turn) == [texts("f", a="1", b="x")]


@pytest.mark.parametrize(
    "between", ["", "\n", "\n</tool_call>\n", "\n</tool_call>\nThen the other one:\n", "\n</tool_call>"]
)
@pytest.mark.parametrize("opens", ["<tool_call>\n", ""])
def test_several_calls_are_read_with_and_without_their_outer_tags(between, opens):
    one, two = (f"{opens}<function={name}>\n</function>" for name in "fg")
    assert FORM.calls(one + between + two) == [texts("f"), texts("g")]


@pytest.mark.parametrize(
    "value",
    [
        *("", " ", "  if x:\n    y\n", "\n\n", "é \u2028 \x00 😀", "<parameter name='x'>1</parameter>", "<"),
        *(
            "a </parameter> in a line",
            "a\n</function>\n",
            "</tool_call>",
            "r'<parameter=b>(.*?)</parameter>'",
        ),
        '<function name="f">\n<parameter name="x">1</parameter>\n</function>',
    ],
)
def test_a_value_is_kept_letter_by_letter(value):
    assert FORM.calls(valued(value)) == [texts("f", a=value)]
    assert FORM.calls(f"{valued(value)}\n{valued(value)}") == [texts("f", a=value)] * 2


@pytest.mark.parametrize(
    ("turn", "problem"),
    [
        ('<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>', "must follow <tool_call>"),
        ("<tool_call>\n<function=>\n</function>", "must follow <tool_call>"),
        ("<tool_call>\n<function=f>\n12 * 3\n</function>\n</tool_call>", "stand only"),
        ("<tool_call>\n<function=f>\n</function> and\n</tool_call>", "stand only"),
        ("<tool_call>\n<function=f>\n<parameter=a>\n1", "a has no </parameter>"),
        ("<tool_call>\n<function=f>\n<parameter=a>\n1\n</function>\n</tool_call>", "a has no </parameter>"),
        (valued("1\n<parameter=b>\n2"), "a has no </parameter>"),
        (valued("1\n</parameter>\n<parameter=a>\n2"), "a is given twice"),
        (valued(f"an example{ENDS} and more"), "has the tags that end a call"),
        (valued("\ud800"), "no valid text"),
        (valued("a <think> b"), "a has no </parameter>"),
        (f"{valued('1')}\n<tool_call>", "must follow <tool_call>"),
    ],
)
def test_tags_that_do_not_fit_make_the_turn_one_bad_call(turn, problem):
    (call,) = FORM.calls(turn)
    assert isinstance(call, BadCall)
    assert problem in call.problem


@pytest.mark.parametrize(
    "turn",
    [
        "It is 3.",
        "",
        f"<think>{valued(1)}",
        valued("a </think> b"),
        "<parameter=a>\n1\n</parameter>",
        "a <function=f>",
    ],
)
def test_a_turn_without_a_call_makes_none(turn):
    assert FORM.calls(turn) == []


VALUES = st.lists(
    st.sampled_from(
        ["</parameter>", "</function>", "</tool_call>", "<parameter=b>", "<function", "\n", " ", "x", "é"]
    ),
    max_size=12,
).map("".join)


@given(VALUES, VALUES)
@settings(max_examples=100, deadline=None)
def test_whatever_values_spell_no_part_of_them_is_lost_without_a_word(one, two):
    """Either the turn is a bad call, or its calls written again are the turn, but for white space around tags."""
    turn = FORM.written(Call("f", {"a": one, "c": two}))
    found = FORM.calls(turn)
    if not any(isinstance(call, BadCall) for call in found):
        assert re.sub(r"\s", "", "".join(map(FORM.written, found))) == re.sub(r"\s", "", turn)


@pytest.mark.parametrize(
    "part", ["</parameter>\n", "\n<parameter=", "<tool_call>\n<function=f>\n", "\n", "</function> "]
)
def test_a_megabyte_in_a_value_is_read_in_linear_time(part):
    assert len(FORM.calls(valued(part * (1_000_000 // len(part))))) <= 17


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        ({"type": "string"}, "12", "12"),
        ({"type": "string"}, '"x"', '"x"'),
        ({"type": ["string", "null"]}, "null", "null"),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, "1", "1"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "None", None),
        ({"enum": ["1", 2]}, "1", "1"),
        ({"enum": ["1", 2]}, "2", 2),
        ({"type": "integer"}, " 12\n", 12),
        ({"type": "number"}, "1.5e3", 1500.0),
        ({"type": "boolean"}, "true", True),
        ({"type": "boolean"}, "False", False),
        ({"type": "object"}, '{"k": [1]}', {"k": [1]}),
        ({"type": "array"}, "[true, null]", [True, None]),
        ({}, "[1]", [1]),
        ({}, "some words", "some words"),
        ({"type": "integer"}, "twelve", "twelve"),
        ({"type": "number"}, "1e999", "1e999"),
        ({"type": "number"}, "NaN", "NaN"),
        ({"type": "object"}, "{'k': 1}", "{'k': 1}"),
    ],
)
def test_a_value_is_a_text_where_the_schema_takes_one_and_json_elsewhere(schema, text, value):
    tool = Tool("f", "", {"type": "object", "properties": {"a": schema}, "required": ["a"]})
    found = typed(FORM.calls(valued(text))[0], [tool])
    assert (found.arguments, found.texts) == ({"a": value}, False)
    assert type(found.arguments["a"]) is type(value)
    unfit = isinstance(value, str) and "type" in schema and "string" not in schema["type"]
    assert isinstance(resolve(FORM.calls(valued(text))[0], [tool]), BadCall) is unfit


@given(
    st.fixed_dictionaries(
        {
            "s": st.text(st.characters(exclude_categories=("Cs",), exclude_characters="<")),
            "n": st.integers(),
            "x": st.floats(allow_nan=False, allow_infinity=False),
            "b": st.booleans(),
            "o": st.dictionaries(st.text("ab<"), st.none() | st.text("<>/")),
        }
    )
)
@settings(max_examples=50, deadline=None)
def test_a_call_that_is_written_and_read_has_the_same_arguments(arguments):
    kinds = dict(zip("snxbo", ("string", "integer", "number", "boolean", "object"), strict=True))
    tool = Tool("f", "", {"type": "object", "properties": {k: {"type": v} for k, v in kinds.items()}})
    (call,) = FORM.calls(FORM.written(Call("f", arguments)))
    assert json.dumps(dict(resolve(call, [tool]).arguments)) == json.dumps(arguments)


def test_a_schema_that_is_none_leaves_texts_as_they_are():
    call = texts("f", a="1")
    for wrong in ({"properties": ["a"]}, {"properties": {"a": 3}}, {"properties": {"a": {"type": 3}}}):
        assert typed(call, [Tool("f", "", wrong)]) == Call("f", {"a": "1"})


@pytest.mark.parametrize(("model", "calls_of"), tagged.MODELS.values(), ids=tagged.MODELS)
def test_a_step_leaves_the_law_of_traces_with_tags_invariant_and_is_reversible(model, calls_of):
    found, pi = transitions(model, calls_of)
    flow = pi[:, None] * found[:, :-1]
    assert found[:, -1].max() == 0.0, "a step left the traces that the environment can answer"
    assert invariance_error(found, pi) < 1e-12
    assert np.abs(flow - flow.T).max() < 1e-12


def test_control_calls_that_are_read_from_the_cut_on_are_caught_by_the_same_enumeration():
    model, calls_of = tagged.MODELS["a call is two tokens"]
    assert invariance_error(*transitions(model, calls_of, tagged.MUTANT)) > 1e-4


def transitions(model, calls_of, kernel=Kernel, horizon=4):
    """The matrix of steps over all traces, and their law, which is found without the format's own reader."""
    rules: Rules = tagged.rules(model)
    known = traces.states(model, horizon, 1 / traces.ALPHA, rules)
    law = tagged.target(model, calls_of, horizon)
    assert set(known) == set(law)
    assert any(chances for _, chances in law), "no trace has an observation"
    chain = kernel(traces.ALPHA, 1 / traces.ALPHA, cut_law("uniform"), rules, StepVariant(), Optimizations())

    def step(dice, x):
        return chain.step(dice, ChainState(x, horizon), model, traces.PROMPT)[0].completion

    return traces.matrix(step, known), np.array([law[x] for x in known])
