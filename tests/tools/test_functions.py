"""Python functions as tools: their schemas, and what is refused in one line."""

from __future__ import annotations

import enum
import typing
from typing import Annotated, Any, Literal

import pytest

from localpower.errors import UserError
from localpower.tools.calls import Call
from localpower.tools.combined import combined
from localpower.tools.executor import execute
from localpower.tools.functions import Functions
from localpower.tools.hints import schema_of
from localpower.tools.names import open_tools


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (str, {"type": "string"}),
        (bool, {"type": "boolean"}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (typing.List[int], {"type": "array", "items": {"type": "integer"}}),  # noqa: UP006
        (list, {"type": "array"}),
        (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
        (tuple[int, str], {"type": "array"}),
        (set[str], {"type": "array", "items": {"type": "string"}}),
        (dict[str, int], {"type": "object"}),
        (Literal["a", 1], {"enum": ["a", 1]}),
        (Colour, {"enum": ["red", "blue"]}),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (typing.Optional[int], {"anyOf": [{"type": "integer"}, {"type": "null"}]}),  # noqa: UP045
        (Annotated[float, "metres"], {"type": "number"}),
        (Any, {}),
    ],
)
def test_a_type_hint_is_a_schema(hint, schema):
    assert schema_of(hint) == schema


def paint(colour: Colour, coats: float = 1, also: list[Colour] | None = None) -> str:
    """Paints the wall.

    It takes a while.

    Args:
        colour: of the wall,
            once it is dry
        coats (float): how many

    Returns:
        nothing: of interest
    """
    return f"{colour!r} {coats!r} {also}"


def test_descriptions_come_from_the_docstring_and_defaults_from_the_signature():
    (tool,) = Functions([paint]).tools
    assert (tool.name, tool.description) == ("paint", "Paints the wall.")
    properties = tool.parameters["properties"]
    assert properties["colour"]["description"] == "of the wall, once it is dry"
    assert properties["coats"] == {"type": "number", "description": "how many", "default": 1}
    assert tool.parameters["required"] == ["colour"]


def test_arguments_come_as_their_hints_say():
    found = execute(Functions([paint]), Call("paint", {"colour": "red", "coats": 2}))
    assert found.text == "<Colour.RED: 'red'> 2.0 None"
    assert (
        "must be one of 'red', 'blue'" in execute(Functions([paint]), Call("paint", {"colour": "pink"})).text
    )


def span(ends: tuple[int, int]) -> str:
    """A span."""
    return repr(ends)


def test_a_tuple_comes_as_one():
    assert execute(Functions([span]), Call("span", {"ends": [1, 2]})).text == "(1, 2)"


def no_hint(a):
    """One."""


def no_doc(a: int):
    return a


def odd_hint(a: complex):
    """One."""


def many(*a: int):
    """One."""


def gone_hint(a: Missing):  # noqa: F821
    """One."""


async def later(a: int):
    """One."""


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (no_hint, "no_hint: the argument a has no type hint"),
        (no_doc, "no_doc has no docstring"),
        (odd_hint, "the type hint of a, complex, has no JSON schema"),
        (many, "which no call can name"),
        (gone_hint, "cannot be read"),
        (later, "asynchronous"),
    ],
)
def test_a_function_that_cannot_be_a_tool_is_refused_by_name(function, said):
    with pytest.raises(UserError, match=said):
        Functions([function], "FILE: ")


def test_two_tools_of_one_name_are_refused_with_both_homes():
    with pytest.raises(UserError, match="two tools are called paint"):
        Functions([paint, paint])
    with pytest.raises(UserError, match="two tools are called list, one of notes and one of other"):
        combined({"notes": open_tools(["notes"]), "other": open_tools(["notes"])})


def throw() -> float:
    """Throws."""
    import random

    return random.random()


def test_chance_comes_from_the_seed_and_the_number_of_the_call():
    one, two = Functions([throw]), Functions([throw])
    one.reset(3)
    two.reset(3)
    first = one.call("throw", {})
    copy = one.fork()
    assert (two.call("throw", {}), copy.call("throw", {})) == (first, one.call("throw", {}))
    assert copy.call("throw", {}) != first
    copy.reset(4)
    assert copy.call("throw", {}) != first


def test_functions_and_environments_may_be_given_as_objects():
    tools = open_tools([paint, "calculator", open_tools(["notes"])]).tools
    assert [tool.name for tool in tools] == ["calculator", "list", "read", "write", "remove", "paint"]
    with pytest.raises(UserError, match="there are no tools"):
        open_tools([])
    with pytest.raises(UserError, match="calculator are named twice"):
        open_tools(["calculator", "calculator"])
    with pytest.raises(UserError, match="3 is no environment"):
        open_tools([3])
