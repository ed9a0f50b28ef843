"""What a model may call, and how: the value that calls of the library take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from localpower.errors import UsageProblem
from localpower.tools.environment import Environment
from localpower.tools.exchange import OBSERVATION_TOKENS, TURNS
from localpower.tools.names import open_tools


@dataclass(frozen=True, slots=True)
class ToolUse:
    """What the model may call (docs/tools.md). name: of the environment, for the record.

    format: how calls are written; None: as the template has it. turns: most turns of the model; observation_tokens:
    most of what one turn is answered. seed: of the environment's chance, which fixes it; fresh: it is drawn instead.
    begun: the environment goes on as it is, and is not reset.
    """

    environment: Environment
    name: str = ""
    format: str | None = None
    turns: int = TURNS
    observation_tokens: int = OBSERVATION_TOKENS
    seed: int = 0
    fresh: bool = False
    begun: bool = False

    @classmethod
    def of(cls, *tools: Any, run_code: bool = False, seconds: float = 10.0, **settings: Any) -> ToolUse:
        """Names, files, Python functions and environments as one environment; settings: the fields.

        run_code: tools may run programs that the model writes. seconds: that a tool of a file may take. Raises
        UserError for what is none of these, and for two tools of one name.
        """
        words = [
            tool if isinstance(tool, str) else getattr(tool, "__name__", type(tool).__name__)
            for tool in tools
        ]
        environment = open_tools(tools, run_code=run_code, seconds=seconds)
        return cls(environment, **{"name": ", ".join(words), **settings})

    @classmethod
    def among(cls, tools: Any) -> ToolUse | None:
        """As calls take it: a `ToolUse`, or one or several of what `of` takes; None: nothing."""
        if tools is None or isinstance(tools, ToolUse):
            return tools
        return cls.of(*tools) if isinstance(tools, list | tuple) else cls.of(tools)

    def __post_init__(self) -> None:
        """Raises UsageProblem for values that can never be right."""
        for name, most in (("turns", 1000), ("observation_tokens", 2**20)):
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= most:
                raise UsageProblem(f"{name} must be a whole number from 1 to {most}, got {value!r}")
        if type(self.seed) is not int or not 0 <= self.seed < 2**64:
            raise UsageProblem(f"the environment's seed must be a whole number below 2^64, got {self.seed!r}")
