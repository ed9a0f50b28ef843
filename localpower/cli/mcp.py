"""`localpower mcp`: a tool for programs that speak the Model Context Protocol."""

from __future__ import annotations

from typing import Any

import click

from localpower.cli.options import engine_options
from localpower.cli.sections import Command
from localpower.errors import UserError


@click.command(cls=Command, short_help="Offer power sampling as a tool (MCP).")
@engine_options
def mcp(**options: Any) -> None:
    """Serve the Model Context Protocol on stdin and stdout (extra: localpower[mcp]).

    The tool `power_sample` answers a prompt by any method. The model is loaded by the first call. The server
    ends when its client leaves. docs/adapters.md shows how clients are told of it.
    """
    from localpower.cli.requests import request
    from localpower.loading import check_there

    wanted = request(options)
    check_there(wanted.model)  # now, and not by the first call
    try:
        from localpower.adapters.mcp import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "anyio"):
            raise
        raise UserError("this command needs the package mcp", "pip install 'localpower[mcp]'") from None
    serve(wanted)
