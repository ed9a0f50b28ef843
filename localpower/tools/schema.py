"""Do arguments fit a tool's JSON schema? The part of the language that function schemas use.

Read: type (one or several), enum, const, properties, required, items, anyOf. An argument that the schema does not name
is refused unless `additionalProperties` is true. Every other keyword is a remark for the model and not checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from localpower import jsonl
from localpower.tools.calls import is_json
from localpower.tools.environment import Json

_DEEPEST = 40
_WORDS = {"True": "true", "False": "false", "None": "null"}  # as templates in Python's dialect write them
_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list | tuple),
    "object": lambda value: isinstance(value, Mapping),
    "null": lambda value: value is None,
}


def problem(value: Any, schema: Mapping[str, Any], name: str = "", depth: int = 0) -> str:
    """What is wrong with a value, in words for the model; "" where it fits. name: of the argument."""
    if depth > _DEEPEST:
        return f"{name} is nested too deeply"
    if "anyOf" in schema and isinstance(schema["anyOf"], Sequence):
        found = [problem(value, option, name, depth + 1) for option in schema["anyOf"]]
        return "" if "" in found or not found else found[0]
    if "enum" in schema and value not in list(schema["enum"]):
        return f"{name} must be one of {', '.join(map(repr, schema['enum']))}"
    if "const" in schema and value != schema["const"]:
        return f"{name} must be {schema['const']!r}"
    kinds = schema.get("type", ())
    kinds = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    if kinds and not any(_TYPES.get(kind, lambda _: True)(value) for kind in kinds):
        return f"{name} must be {' or '.join(map(_article, kinds))}"
    if isinstance(value, Mapping) and "properties" in schema:
        return _of_object(value, schema, name, depth)
    if isinstance(value, list | tuple) and isinstance(schema.get("items"), Mapping):
        each = (problem(part, schema["items"], f"{name}[{i}]", depth + 1) for i, part in enumerate(value))
        return next(filter(None, each), "")
    return ""


def of_text(text: str, schema: Mapping[str, Any]) -> Json:
    """What a text stands for: itself where the schema takes a text, else its JSON value, where it has one."""
    if _takes(text, schema):
        return text
    try:
        value: Json = jsonl.loads(_WORDS.get(text.strip(), text))
    except (ValueError, RecursionError):
        return text
    return value if is_json(value) else text


def _takes(text: str, schema: Mapping[str, Any], depth: int = 0) -> bool:
    """Whether the schema names texts, and this one may be it."""
    options = schema.get("anyOf")
    if isinstance(options, Sequence):
        return depth < _DEEPEST and any(_takes(text, option, depth + 1) for option in options)
    if "enum" in schema or "const" in schema:
        return text in list(schema.get("enum", [schema.get("const")]))
    kinds = schema.get("type", ())
    return "string" in ((kinds,) if isinstance(kinds, str) else kinds)


def _of_object(value: Mapping[str, Any], schema: Mapping[str, Any], name: str, depth: int) -> str:
    known: Mapping[str, Any] = schema["properties"]
    inside = f"{name}." if name else ""
    for key in schema.get("required", ()):
        if key not in value:
            return f"the argument {inside}{key} is missing"
    for key, part in value.items():
        if key in known:
            if found := problem(part, known[key], f"{inside}{key}", depth + 1):
                return found
        elif schema.get("additionalProperties") is not True:
            names = ", ".join(known) or "none"
            return f"there is no argument {inside}{key[:40]} (there is: {names})"
    return ""


def _article(kind: str) -> str:
    return "null" if kind == "null" else f"{'an' if kind[0] in 'aeio' else 'a'} {kind}"
