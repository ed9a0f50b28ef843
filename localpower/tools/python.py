"""Programs that the model writes, in the sandbox of the grader: a fresh interpreter each time, nothing kept."""

from __future__ import annotations

from collections.abc import Mapping

from localpower.grading.sandbox import output
from localpower.tools.environment import Json, Stateless, Tool


class Python(Stateless):
    """One tool, `python(code)`. It is not deterministic: a program may read a clock.

    seconds: that a program may take. The sandbox is a fence against accidents, no prison (grading/sandbox.py).
    """

    deterministic = False
    tools = (
        Tool(
            "python",
            "Runs a Python program and gives what it prints, and the value of its last line. Nothing is kept.",
            {"type": "object", "properties": {"code": {"type": "string"}}, "required": ["code"]},
        ),
    )

    def __init__(self, seconds: float = 10.0) -> None:
        self._seconds = seconds

    def call(self, name: str, arguments: Mapping[str, Json]) -> str:
        """Both streams. Raises TimeoutError."""
        return output(str(arguments["code"]), self._seconds).rstrip("\n")
