"""A conversation: what was said, and the very tokens of what the model said."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

from localpower.model import Tokens
from localpower.text.template import Message


@dataclass
class Conversation:
    """Messages of user and model in turn, a question last while it is being answered.

    drawn: the tokens of the model's messages by index, where the next prompt is to hold them as they were drawn.
    prompt: the tokens of the whole prompt, where somebody else has made them: then no message is read.
    started: the time that a chat template may tell, the same for all turns so that prompts begin alike.
    """

    messages: list[Message] = field(default_factory=list)
    drawn: dict[int, Tokens] = field(default_factory=dict)
    started: datetime.datetime = field(default_factory=datetime.datetime.now)
    prompt: Tokens | None = None

    def under(self, system: str | None) -> Conversation:
        """The same conversation after a system message; itself without one."""
        if not system:
            return self
        messages = [{"role": "system", "content": system}, *self.messages]
        return Conversation(messages, {i + 1: tokens for i, tokens in self.drawn.items()}, self.started)

    def ask(self, text: str) -> None:
        """The user's turn."""
        self.messages.append({"role": "user", "content": text})

    def answer(self, text: str, tokens: Tokens | None) -> None:
        """The model's turn; tokens None: only the text counts (a stop cut it inside a token)."""
        if tokens is not None:
            self.drawn[len(self.messages)] = tokens
        self.messages.append({"role": "assistant", "content": text})

    def truncate(self, n: int) -> None:
        """Keep the first n messages."""
        del self.messages[n:]
        self.drawn = {i: tokens for i, tokens in self.drawn.items() if i < n}

    @classmethod
    def of(cls, question: str) -> Conversation:
        """A conversation that begins with a question."""
        return cls([{"role": "user", "content": question}])

    @property
    def answered(self) -> bool:
        """Whether the last message is the model's."""
        return bool(self.messages) and self.messages[-1]["role"] == "assistant"

    def clear(self) -> None:
        """Forget everything said."""
        self.messages.clear()
        self.drawn.clear()
        self.started = datetime.datetime.now()
