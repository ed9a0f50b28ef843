"""Renders chat templates, in a process of its own (`localpower.subprocesses`).

A template comes out of a model file, so it is foreign code: it runs in jinja2's sandbox, and under limits of time and
memory, because the sandbox bounds neither. What templates find here is what transformers gives them.
"""

from __future__ import annotations

import datetime
import json
from typing import Any

from jinja2 import ext, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from localpower.text.presence import Form, Messages, checked, form_for


class _Generation(ext.Extension):
    """{% generation %}: marks assistant text for training; here only its body counts."""

    tags = {"generation"}  # noqa: RUF012 - jinja2 declares it so

    def parse(self, parser: Any) -> Any:
        """The body between the tags, as it is."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=line)


EXTENSIONS: list[str | type[ext.Extension]] = [_Generation, "jinja2.ext.loopcontrols"]


def _fail(message: str) -> None:
    raise ValueError(message)


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | str | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def answer(request: dict[str, Any]) -> list[str]:
    """The prompt text of each conversation. Raises jinja2's errors, ValueError from the template's own calls, and
    ModelError for a message that the template leaves out."""
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=EXTENSIONS)
    environment.filters["tojson"] = _tojson
    environment.globals["raise_exception"] = _fail
    environment.globals["strftime_now"] = datetime.datetime.fromisoformat(request["now"]).strftime
    template = environment.from_string(request["template"])
    known: dict[str, Form] = {}

    fixed = {"bos_token": request["bos"], "eos_token": request["eos"], "add_generation_prompt": True}

    def render(messages: Messages) -> str:
        given = request["arguments"] | fixed | {"messages": messages}
        try:
            # Some ask whether they are none.
            return template.render({"tools": None, "documents": None} | given)
        except TypeError:
            return template.render(given)  # and some go through them all the same

    def one(messages: Messages) -> str:
        kind = json.dumps([message | {"content": ""} for message in messages])
        if kind not in known:
            known[kind] = form_for(messages, render)
        return checked(render(known[kind].of(messages)), messages, known[kind])

    return [one(messages) for messages in request["conversations"]]
