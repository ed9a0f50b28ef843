"""What was said in a chat: turns, each a question with the answers drawn for it, of which one counts."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from localpower.errors import UserError
from localpower.model import Tokens
from localpower.runs.answer import Answer
from localpower.text.conversation import Conversation
from localpower.tools.calls import Call
from localpower.tools.executor import execute
from localpower.tools.use import ToolUse

FACTS = (
    *("seed", "method", "alpha", "log_p", "n_tokens", "finish"),
    *("cost_multiple", "seconds", "thinking_tokens"),
)


@dataclass(frozen=True, slots=True)
class Alternative:
    """An answer to a turn's question.

    tokens: as the next prompt is to hold them; None: its text is read anew. facts: of the answer, by the names of
    `Answer`.
    """

    text: str
    tokens: Tokens | None
    facts: dict[str, Any]

    @classmethod
    def of(cls, answer: Answer, tokens: Tokens | None) -> Alternative:
        """What is kept of an answer."""
        facts = {name: getattr(answer, name) for name in FACTS}
        if answer.trace is not None:
            calls = [call for turn in answer.trace.turns for call in turn.calls if call.name]
            facts["calls"] = [[call.name, call.arguments] for call in calls]
        return cls(answer.text, tokens, facts)

    @property
    def calls(self) -> list[tuple[str, dict[str, Any]]]:
        """What it called, in order."""
        return [(name, dict(arguments)) for name, arguments in self.facts.get("calls") or ()]


@dataclass(slots=True)
class Turn:
    """chosen: which of the answers the conversation goes on from."""

    question: str
    answers: list[Alternative] = field(default_factory=list)
    chosen: int = 0

    @property
    def answer(self) -> Alternative:
        """The one that counts."""
        return self.answers[self.chosen]


def conversation(turns: Sequence[Turn], question: str | None, started: datetime.datetime) -> Conversation:
    """Turns that were answered, and a question that was not yet."""
    said = Conversation(started=started)
    for turn in turns:
        said.ask(turn.question)
        said.answer(turn.answer.text, turn.answer.tokens)
    if question is not None:
        said.ask(question)
    return said


def after_calls(use: ToolUse | None, turns: Sequence[Turn]) -> ToolUse | None:
    """Tools in the state that the calls of these turns led to: a conversation is one world."""
    calls = [call for turn in turns for call in turn.answer.calls]
    if use is None or not calls:
        return use
    there = use.environment.fork()
    there.reset(use.seed)
    for name, arguments in calls:
        execute(there, Call(name, arguments))
    return replace(use, environment=there, begun=True)


def to_json(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    """Plain JSON values; `from_json` gives the turns back, token for token."""
    return [
        {
            "question": turn.question,
            "chosen": turn.chosen,
            "answers": [
                {"text": each.text, "tokens": each.tokens and list(each.tokens), "facts": each.facts}
                for each in turn.answers
            ],
        }
        for turn in turns
    ]


def from_json(values: Any) -> list[Turn]:
    """Raises UserError for what `to_json` never wrote."""
    try:
        return [_turn(value) for value in values]
    except (TypeError, ValueError, LookupError, AttributeError):
        raise UserError("the turns of this session are damaged") from None


def _turn(value: dict[str, Any]) -> Turn:
    answers = []
    for each in value["answers"]:
        text, tokens, facts = each["text"], each["tokens"], each["facts"]
        ids = tokens is None or all(type(token) is int and 0 <= token < 2**31 for token in tokens)
        called = facts.get("calls") or [] if isinstance(facts, dict) else None
        known = isinstance(called, list) and all(map(_is_call, called))
        if not (isinstance(text, str) and isinstance(facts, dict) and ids and known):
            raise ValueError
        answers.append(Alternative(text, None if tokens is None else tuple(tokens), facts))
    question, chosen = value["question"], value["chosen"]
    if not (isinstance(question, str) and type(chosen) is int and 0 <= chosen < len(answers)):
        raise ValueError
    return Turn(question, answers, chosen)


def _is_call(value: Any) -> bool:
    pair = isinstance(value, list) and len(value) == 2
    return pair and isinstance(value[0], str) and isinstance(value[1], dict)
