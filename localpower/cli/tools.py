"""`localpower tools`: what a model may be given to call."""

from __future__ import annotations

import json

import click

from localpower.cli.options import flag
from localpower.cli.sections import Plain


@click.command("tools", cls=Plain, short_help="List the tools that a model may be given.")
@click.argument("name", required=False)
@flag("--json", "as_json", help="The JSON schemas of the tools, as trainers take them.")
def tools(name: str | None, as_json: bool) -> None:
    """List the environments that --tools takes, or the tools of NAME, which may be a file FILE.py.

    A file is imported in a process of its own, so that its code runs.
    """
    from localpower.api.tools import described, listed
    from localpower.cli.terminal import write_answer

    if name is None:
        found = listed()
        width = max(map(len, found)) + 2
        lines = [f"{each:<{width}}{about}" for each, about in found.items()]
        note = "A file FILE.py is one too: its public functions with type hints and a docstring are tools."
        write_answer(json.dumps(found) if as_json else "\n".join([*lines, "", note]))
        return
    one = described(name)
    if as_json:
        write_answer(json.dumps([tool.schema for tool in one.tools], ensure_ascii=False))
        return
    lines = []
    for tool in one.tools:
        schema = json.loads(json.dumps(tool.parameters))
        required = schema.get("required") or []
        lines.append(f"{tool.name}: {tool.description}")
        for key, value in (schema.get("properties") or {}).items():
            kind = value.get("type") or json.dumps({k: v for k, v in value.items() if k != "description"})
            optional = "" if key in required else ", may be left out"
            lines.append(f"  {key} ({kind}{optional}) {value.get('description', '')}".rstrip())
    sure = "equal calls give equal results" if one.deterministic else "equal calls may give other results"
    write_answer("\n".join([*lines, "", f"Deterministic: {'yes' if one.deterministic else 'no'} ({sure})."]))
