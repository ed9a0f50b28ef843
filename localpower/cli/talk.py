"""The turns of a chat: a conversation, the engine that remembers it, and what each answer cost."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from localpower.cli.answering import Job, answer, summary, words
from localpower.cli.asking import Question, ask
from localpower.cli.terminal import can_redraw, say, write_answer
from localpower.errors import Interrupted, UserError
from localpower.loaded import Loaded
from localpower.model import Tokens
from localpower.runs.gather import Engine
from localpower.runs.interrupt import Interrupts
from localpower.text.conversation import Conversation

_OWNER = "conversation"  # of the pin that keeps the conversation in the cache between turns


class Talk:
    """One conversation with a model. options: may be changed between turns. seed: of the next answer."""

    def __init__(self, loaded: Loaded, options: dict[str, Any], seed: int, interrupts: Interrupts) -> None:
        self.options = options
        self.turns: list[dict[str, Any]] = []
        self._loaded = loaded
        self._seed = seed  # of the next answer
        self._interrupts = interrupts
        self._conversation = Conversation()
        self._engine: Engine | None = None
        self._cache: Path | None = options["prompt_cache"]  # for the first prompt

    def say(self, text: str) -> None:
        """The user's message, answered on stdout. Raises UserError; then the message was not said."""
        before = len(self._conversation.messages)
        result = None
        try:
            self._conversation.ask(text)
            result = self._answer()
        finally:
            if result is None:
                self._conversation.truncate(before)
        self._tell(result, "the message is not part of the conversation")

    def again(self) -> None:
        """Another answer to the last question, from the next seed. The old one is kept when that fails."""
        if not self._conversation.answered:
            raise UserError("there is no answer yet to draw again")
        before = len(self._conversation.messages) - 1
        text, tokens = self._conversation.messages[before]["content"], self._conversation.drawn.get(before)
        result = None
        try:
            self._conversation.truncate(before)
            result = self._answer()
        finally:
            if result is None:
                self._conversation.truncate(before)
                self._conversation.answer(text, tokens)
        self._tell(result, "the old answer stays")

    @property
    def ended(self) -> bool:
        """Whether SIGTERM came during a turn."""
        return self._interrupts.terminated

    @property
    def interrupted(self) -> bool:
        """Whether the last turn was stopped."""
        return self._interrupts.requested

    def forget(self) -> None:
        """A new conversation; the engine keeps what may serve again, such as a system message."""
        self._conversation.clear()
        if self._engine is not None:
            self._engine.unpin(_OWNER)

    def _answer(self) -> dict[str, Any] | None:
        """Answer the last message; None when interrupted before there was anything."""
        options, conversation = self.options, self._conversation
        with self._interrupts as interrupts:
            try:
                question = ask(self._loaded, options, conversation)
                for note in question.notes:
                    say(f"note: {note}")
                interrupts.check()
                self._engine = engine = self._loaded.engine(
                    question.prompt,
                    options["max_tokens"],
                    options["chains"] * question.width,
                    interrupts.check,
                    self._engine,
                    options["chains"],
                )
                chains, how = options["chains"], options["pick"]
                job = Job(self._loaded, engine, question, self._seed, chains, how, self._cache)
                result = answer(job, interrupts, None, redraw=can_redraw())
            except (Interrupted, KeyboardInterrupt):
                return None
        tokens = tuple(result["tokens"])
        if not tokens and result["finish"] in ("interrupted", "budget"):
            return None
        self._seed, self._cache = self._seed + 1, None
        conversation.answer(str(result["text"]), self._to_keep(tokens, question))
        engine.pin(question.prompt + tokens, _OWNER)
        self.turns.append(result | {"prompt_tokens": len(question.prompt)})
        return result

    def _tell(self, result: dict[str, Any] | None, otherwise: str) -> None:
        if result is None:
            say(f"note: stopped before the first token; {otherwise}")
            return
        write_answer(words(result), prose=True)
        for line in summary(result):
            say(line)

    def _to_keep(self, tokens: Tokens, question: Question) -> Tokens | None:
        """The tokens that the next prompt is to hold: without the one that ends a turn, for the template adds it."""
        assert self._engine is not None
        ended = tokens[-1] in self._engine.eos or question.rules.ended(tokens)
        if not ended:
            return tokens
        if not self._loaded.piece(tokens[-1]):
            return tokens[:-1]
        return None  # a stop in the text: the part before it is what was said

    def table(self) -> list[str]:
        """What each turn cost."""
        lines = ["turn  prompt  evaluated  answer  drawn   cost  accepted    log p  seconds"]
        for i, turn in enumerate(self.turns, 1):
            cost, rate = turn["cost_multiple"], turn["acceptance_rate"]
            lines.append(
                f"{i:4}  {turn['prompt_tokens']:6}  {turn['prefill_tokens']:9}  {turn['n_tokens']:6}  "
                f"{turn['decoded_tokens']:5}  {'-' if cost is None else f'{cost:.1f}x':>5}  "
                f"{'-' if rate is None else f'{100 * rate:.0f} %':>8}  {turn['log_p']:7.1f}  {turn['seconds']:7.1f}"
            )
        return lines


def interactive() -> bool:
    """Whether a person types: stdin is a terminal, and so is the one that prompts are shown on."""
    return sys.stdin.isatty() and sys.stderr.isatty()
