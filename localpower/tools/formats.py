"""How a model writes its calls, and how it is shown what they gave: the contract, and which format is meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from localpower.errors import UsageProblem
from localpower.tools.calls import BadCall, Call, Observation
from localpower.tools.environment import Tool


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a turn that is not the model's.

    control: control texts in it are control tokens (what a template writes). Else it is text, whatever it spells.
    """

    text: str
    control: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """What a template writes around the text of a turn of `ToolFormat.role` that follows a turn of the model.

    before: from the model's end token, which it does not hold, to the text. after: to the model's next turn. Both are
    empty where there is no template.
    """

    before: str = ""
    after: str = ""


class ToolFormat(Protocol):
    """A way of writing calls. It is a value: two of one name are alike."""

    @property
    def name(self) -> str:
        """As --tool-format takes it."""

    @property
    def role(self) -> str:
        """The template's role of the turn that tells observations; "": the text goes on without a turn."""

    @property
    def marks(self) -> tuple[str, str] | None:
        """What a call begins with and ends with where its end ends the turn; None: only an end token ends a turn."""

    def calls(self, turn: str) -> list[Call | BadCall]:
        """The calls of a turn of the model, in order; none: the turn ends the trace. Never raises; linear in time."""

    def over(self, turn: str) -> bool:
        """Whether an unfinished turn is over though no end token was drawn: its call is complete.

        Only its last token can have made it so, by the end of a call that stands after the end before it (`marks`).
        """

    def opening(self, observations: Sequence[Observation], frame: Frame) -> list[Piece]:
        """What stands between the model's turn and its next: observations, one for each call, inside the frame."""

    def instructions(self, tools: Sequence[Tool]) -> str:
        """The system text that tells the tools and the format, for templates that do not know `tools`."""

    def written(self, call: Call) -> str:
        """A call as the model should write it."""

    def before(self, turn: str) -> str:
        """What a turn that calls says before its first call."""


NAMES = ("hermes", "llama3", "qwen3-coder", "plain", "inline")

_NOT_READ = ("<arg_key>", "<invoke")  # in <tool_call> too, by templates of GLM and of MiniMax


def find(name: str) -> ToolFormat:
    """The format of a name. Raises UsageProblem."""
    from localpower.tools.markup import Hermes, Llama3
    from localpower.tools.plain import Inline, Plain
    from localpower.tools.tags import Qwen3Coder

    known: tuple[ToolFormat, ...] = (Hermes(), Llama3(), Qwen3Coder(), Plain(), Inline())
    found = {each.name: each for each in known}
    if name not in found:
        raise UsageProblem(f"--tool-format {name!r} is none of {', '.join(NAMES)}")
    return found[name]


def choose(template: str | None, name: str | None = None) -> ToolFormat:
    """The format that was named, else the one that the chat template writes, else plain. Raises UsageProblem."""
    if name is not None:
        return find(name)
    said = template or ""
    if "<tool_call>" in said and not any(tag in said for tag in _NOT_READ):
        return find("qwen3-coder" if "<function=" in said else "hermes")
    return find(
        "llama3" if "<|python_tag|>" in said or ("ipython" in said and "parameters" in said) else "plain"
    )
