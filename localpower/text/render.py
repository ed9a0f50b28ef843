"""The child process that renders a chat template: `python -m localpower.text.render`, JSON in and out.

A template comes out of a model file, so it is foreign code: it runs in jinja2's sandbox, and in a process of its
own with caps on processor time and memory, because the sandbox bounds neither.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import sys
from typing import Any

CPU_SECONDS = 4
MEMORY_BYTES = 1 << 30


def _limit() -> None:
    """Cap this process; a system without these limits still has the parent's time-out."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def render(request: dict[str, Any]) -> list[str]:
    """The prompt text of each conversation. Raises jinja2's errors, and ValueError from the template's own calls."""
    from jinja2 import ext, nodes
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(ext.Extension):
        """{% generation %}: marks assistant text for training; here only its body counts."""

        tags = {"generation"}  # noqa: RUF012 - jinja2 declares it so

        def parse(self, parser: Any) -> Any:
            """The body between the tags, as it is."""
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return nodes.Scope(body, lineno=line)

    def fail(message: str) -> None:
        raise ValueError(message)

    def tojson(value: Any, indent: int | None = None) -> str:
        return json.dumps(value, ensure_ascii=False, indent=indent)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, "jinja2.ext.loopcontrols"]
    )
    today = datetime.datetime.fromisoformat(request["now"])
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = fail
    environment.globals["strftime_now"] = today.strftime
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


def main() -> None:
    """Read one request, print one answer: {"texts": [...]} or {"error": ...}."""
    _limit()
    request = json.load(sys.stdin)
    answer: dict[str, Any]
    try:
        answer = {"texts": render(request)}
    except MemoryError:
        answer = {"error": f"it asked for more than {MEMORY_BYTES >> 20} MB"}
    except Exception as error:  # foreign code: whatever it raises is its own fault, told in one line
        answer = {"error": f"{type(error).__name__}: {error}"}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
