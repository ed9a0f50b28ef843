"""Type hints as JSON schemas, and what a docstring says of each argument."""

from __future__ import annotations

import enum
import inspect
import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
_SECTION = re.compile(r"^(?:Args|Arguments|Parameters):\s*$")
_ANY_SECTION = re.compile(r"^[A-Z][\w ]{0,30}:\s*$")
_ARGUMENT = re.compile(r"^\s+\*{0,2}(\w+)\s*(?:\([^)]*\))?:\s*(.*)$")
_PARAM = re.compile(r"^\s*:param\s+(?:[\w\[\], ]+\s)?(\w+):\s*(.*)$")


class NoSchema(Exception):
    """A hint that has no JSON schema; the text says which."""


def schema_of(hint: Any) -> dict[str, Any]:
    """The JSON schema of a type hint. Raises NoSchema."""
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    if hint is Any:
        return {}
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return schema_of(parts[0])
    if origin is typing.Literal:
        return {"enum": list(parts)}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [schema_of(part) for part in parts]}
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return {"enum": [member.value for member in hint]}
    if (origin or hint) in (list, Sequence, typing.List):  # noqa: UP006 - as users write it
        return {"type": "array"} | ({"items": schema_of(parts[0])} if parts else {})
    if (origin or hint) in (tuple, set, frozenset):
        alike = [part for part in parts if part is not ...]
        return {"type": "array"} | ({"items": schema_of(alike[0])} if len(set(alike)) == 1 else {})
    if (origin or hint) in (dict, Mapping, typing.Dict):  # noqa: UP006
        return {"type": "object"}
    raise NoSchema(inspect.formatannotation(hint))


def as_hinted(value: Any, hint: Any) -> Any:
    """A value of JSON as its hint wants it: members of enums, floats for whole numbers, tuples and sets of lists."""
    parts = typing.get_args(hint)
    origin = typing.get_origin(hint) or hint
    if origin in (tuple, set, frozenset) and isinstance(value, list):
        return origin(as_hinted(each, parts[0] if parts else None) for each in value)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint(value)
    if hint is float and isinstance(value, int):
        return float(value)
    if typing.get_origin(hint) in (list, Sequence) and parts and isinstance(value, list):
        return [as_hinted(each, parts[0]) for each in value]
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        for part in parts:
            if isinstance(part, type) and issubclass(part, enum.Enum) and value in [m.value for m in part]:
                return part(value)
    return value


def parameters_of(function: Callable[..., Any], name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The schema of a function's arguments, and its hints by name. Raises NoSchema that says what is missing."""
    try:
        hints = typing.get_type_hints(function)
    except Exception as error:  # names that do not exist, and whatever a hint that is computed may raise
        raise NoSchema(f"the type hints of {name} cannot be read: {error}") from None
    told = said_of_arguments(inspect.getdoc(function) or "")
    properties: dict[str, Any] = {}
    required: list[str] = []
    for key, parameter in inspect.signature(function).parameters.items():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise NoSchema(f"{name} takes {parameter}, which no call can name")
        if key not in hints:
            raise NoSchema(f"{name}: the argument {key} has no type hint")
        try:
            schema = schema_of(hints[key])
        except NoSchema as odd:
            raise NoSchema(f"{name}: the type hint of {key}, {odd}, has no JSON schema") from None
        if key in told:
            schema["description"] = told[key]
        if parameter.default is parameter.empty:
            required.append(key)
        elif parameter.default is None or isinstance(parameter.default, str | int | float | bool):
            schema["default"] = parameter.default
        properties[key] = schema
    return {"type": "object", "properties": properties, "required": required}, hints


def summary_of(doc: str) -> str:
    """The first paragraph of a docstring, on one line."""
    lines: list[str] = []
    for line in doc.strip().splitlines():
        if not line.strip() or _PARAM.match(line) or _SECTION.match(line):
            break
        lines.append(line.strip())
    return " ".join(lines)


def said_of_arguments(doc: str) -> dict[str, str]:
    """What an `Args:` section or `:param name:` lines say of each argument."""
    found: dict[str, str] = {}
    inside, latest = False, ""
    for line in doc.splitlines():
        if param := _PARAM.match(line):
            found[param[1]] = param[2].strip()
        elif _ANY_SECTION.match(line):
            inside, latest = _SECTION.match(line) is not None, ""
        elif inside and (argument := _ARGUMENT.match(line)):
            latest = argument[1]
            found[latest] = argument[2].strip()
        elif inside and latest and line.strip():
            found[latest] += f" {line.strip()}"
    return found
