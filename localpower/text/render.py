"""Renders chat templates, in a process of its own (`localpower.subprocesses`).

A template comes out of a model file, so it is foreign code: it runs in jinja2's sandbox, and under limits of time and
memory, because the sandbox bounds neither.
"""

from __future__ import annotations

import datetime
import json
from typing import Any

from jinja2 import ext, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment


class _Generation(ext.Extension):
    """{% generation %}: marks assistant text for training; here only its body counts."""

    tags = {"generation"}  # noqa: RUF012 - jinja2 declares it so

    def parse(self, parser: Any) -> Any:
        """The body between the tags, as it is."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=line)


def _fail(message: str) -> None:
    raise ValueError(message)


def _tojson(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def answer(request: dict[str, Any]) -> list[str]:
    """The prompt text of each conversation. Raises jinja2's errors, and ValueError from the template's own calls."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, "jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = _tojson
    environment.globals["raise_exception"] = _fail
    environment.globals["strftime_now"] = datetime.datetime.fromisoformat(request["now"]).strftime
    template = environment.from_string(request["template"])
    return [
        template.render(
            messages=messages,
            bos_token=request["bos"],
            eos_token=request["eos"],
            add_generation_prompt=True,
            **request["arguments"],
        )
        for messages in request["conversations"]
    ]
