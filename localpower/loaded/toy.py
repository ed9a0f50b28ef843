"""`--model toy`: a table as a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localpower.errors import ModelError
from localpower.loaded import ModelInfo, Preset
from localpower.model import Tokens
from localpower.runs.gather import Engine
from localpower.text.conversation import Conversation
from localpower.toy import ToyModel


@dataclass
class LoadedToy:
    """`--model toy`."""

    toy: ToyModel = field(default_factory=ToyModel)
    info: ModelInfo = field(default_factory=lambda: ModelInfo("toy"))
    exactness: str | float = "exact"
    notes: list[str] = field(default_factory=list)
    has_template: bool = False
    n_ctx: int | None = None
    template: str | None = None
    preset: Preset | None = None
    machine: str = "a table"

    def prompt(self, conversation: Conversation, *, raw: bool, arguments: Mapping[str, Any]) -> Tokens:
        """A toy word for each word."""
        tokens: Tokens = ()
        for i, message in enumerate(conversation.messages):
            drawn = conversation.drawn.get(i)
            tokens += self.toy.tokenize(message["content"]) if drawn is None else drawn
        return tokens

    def prompts(
        self, conversations: Sequence[Conversation], *, raw: bool, arguments: Mapping[str, Any]
    ) -> list[Tokens]:
        """One after another."""
        return [self.prompt(each, raw=raw, arguments=arguments) for each in conversations]

    def written(self, text: str) -> Tokens:
        """The toy has no control texts."""
        return self.toy.tokenize(text)

    read_chat = written

    def chat_text(self, conversation: Conversation, arguments: Mapping[str, Any]) -> str:
        """The toy has no template."""
        raise ModelError("this model has no chat template")

    def opener(self) -> int | None:
        """The end of a text stands before the next."""
        return 0

    def following(self, before: Tokens, text: str, *, controls: bool = False) -> Tokens:
        """A toy word for each word, whatever stands before."""
        return self.toy.tokenize(text)

    def apart(self, text: str) -> list[str]:
        """The toy has no control texts."""
        return [text]

    def frame(
        self, told: str, role: str, call: str, arguments: Mapping[str, Any], *, thoughts: bool
    ) -> tuple[str, str]:
        """The toy has no template."""
        return "", ""

    def unspelled(self, text: str) -> int:
        """The toy reads every word."""
        return 0

    def engine(
        self,
        prompt: Tokens,
        horizon: int,
        rows: int,
        check: Callable[[], None],
        keep: Engine | None = None,
        chains: int | None = None,
        prompts: int = 1,
    ) -> Engine:
        """The table itself."""
        return self.toy

    def cells(self, prompt_length: int, horizon: int, rows: int, chains: int, prompts: int = 1) -> None:
        """A table keeps nothing."""

    def longer_context(self, need: int) -> tuple[int, int] | None:
        """A table has no limit."""
        return None

    def warm(self, engine: Engine, prompt: Tokens, path: Path) -> list[str]:
        """Nothing to keep."""
        return ["--prompt-cache means nothing to the toy model"]

    def piece(self, token: int) -> bytes:
        """A word."""
        return self.toy.piece(token)

    spelled = piece

    def control_token(self, text: str) -> int | None:
        """The toy has no control texts."""
        return None

    def widest(self) -> int:
        """A table reads one row after another."""
        return 1

    def goes_ahead(self) -> bool:
        """A table does not mind."""
        return True

    def speed(self, rows: int) -> float | None:
        """Nobody times a table."""
        return None

    def work(self, engine: Engine) -> tuple[int, int, int]:
        """Tables evaluate nothing."""
        return 0, 0, 0

    def close(self) -> None:
        """A table holds no memory of C."""
