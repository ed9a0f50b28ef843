"""Whatever a call is and a tool does, there is one observation."""

from __future__ import annotations

import pytest

from localpower.errors import Interrupted
from localpower.tools.calls import BadCall, Call
from localpower.tools.environment import Stateless, Tool, environment_seed
from localpower.tools.executor import execute, resolve

NUMBER = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
TEXT = {"type": "object", "properties": {"t": {"type": "string"}}, "required": ["t"]}
TOOLS = [Tool("number", "", NUMBER), Tool("text", "", TEXT), Tool("none")]


class Does(Stateless):
    """One tool that does what it was made to do."""

    tools = (Tool("do"),)

    def __init__(self, what):
        self._what = what

    def call(self, name, arguments):
        if isinstance(self._what, BaseException):
            raise self._what
        return self._what


class Unprintable(Exception):
    def __str__(self):
        raise ValueError


def done(what, **limits):
    return execute(Does(what), Call("do", {}), clock=iter((0.0, 1.0, 3.0)).__next__, **limits)


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (ValueError("no\nsuch line"), "Error: ValueError: no such line"),
        (SystemExit(3), "Error: the tool tried to end the process"),
        (RecursionError(), "Error: RecursionError"),
        (Unprintable(), "Error: Unprintable"),
    ],
)
def test_what_a_tool_raises_is_told_in_one_line(raised, said):
    found = done(raised)
    assert (found.text, found.ok, found.executed, found.seconds) == (said, False, True, 2.0)


def test_a_tool_that_changes_its_arguments_changes_no_record_of_the_call():
    """The call may be made again for a copy of the environment, and is exported as the model wrote it."""

    class Takes(Does):
        tools = (Tool("do", "", {"type": "object", "properties": {"all": {}, "more": {}}}),)

        def call(self, name, arguments):
            return str(arguments["all"].pop() + arguments.pop("more"))

    call = Call("do", {"all": [1, 2], "more": 3})
    assert [execute(Takes(None), call).text for _ in range(2)] == ["5", "5"]
    assert call.arguments == {"all": [1, 2], "more": 3}


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), Interrupted()])
def test_a_user_who_stops_is_no_observation(stop):
    with pytest.raises(type(stop)):
        done(stop)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("", "(no text)"),
        (" \n", "(no text)"),
        ("a\ud800b\x00c\x1b[2J\r\nd", "a\ufffdb\ufffdc\ufffd[2J\nd"),
        ({"a": [1, "é"]}, '{"a": [1, "é"]}'),
        (None, "null"),
        ("x" * 30, "xxxxxxxxxxxxxxxxxxxx... (cut: 30 characters)"),
    ],
)
def test_what_a_tool_gives_is_text(given, text):
    found = done(given, longest=20)
    assert (found.text, found.ok) == (text, True)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (Call("nothing", {}), "there is no tool 'nothing' (there is: number, text, none)"),
        (Call("", {}, "1"), "there is no tool ''"),
        (Call("number", {}), "the argument n is missing"),
        (Call("number", {"n": "3"}), "n must be an integer"),
        (Call("number", {"n": True}), "n must be an integer"),
        (Call("number", {"n": 3, "m": 4}), "there is no argument m (there is: n)"),
        (Call("none", {}, "3"), "takes its arguments by name"),
        (BadCall("x", "it is odd"), "it is odd"),
    ],
)
def test_a_call_that_cannot_be_made_is_not_made_and_says_why(call, said):
    class Never(Stateless):
        tools = TOOLS

        def call(self, name, arguments):
            raise AssertionError

    found = execute(Never(), call)
    assert said in found.text
    assert (found.ok, found.executed) == (False, False)


def test_a_bare_argument_is_the_only_ones_and_read_as_its_type():
    assert resolve(Call("number", {}, " 3 "), TOOLS) == Call("number", {"n": 3})
    assert resolve(Call("text", {}, " 3 "), TOOLS) == Call("text", {"t": "3"})
    assert resolve(Call("none", {}, ""), TOOLS) == Call("none", {})
    assert resolve(Call("", {}, "3"), TOOLS[:1]) == Call("number", {"n": 3})


def test_a_schema_that_is_none_is_told():
    class Odd(Stateless):
        tools = (Tool("do", "", {"properties": 3}),)

    assert "no JSON schema" in execute(Odd(), Call("do", {"a": 1})).text


def test_an_environments_seed_depends_on_the_problem_alone():
    assert environment_seed("a") == environment_seed("a") != environment_seed("b")
    assert 0 <= environment_seed("\ud800") < 2**64
