"""A conversation with a model: what was said, the engine that remembers it, and the answers so far."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from localpower.api.answer_run import AnswerRun, run
from localpower.api.question import Question, ask
from localpower.api.request import PromptOptions, SamplingOptions, chosen_seed
from localpower.errors import UserError
from localpower.model import Tokens
from localpower.runs.answer import Answer
from localpower.text.conversation import Conversation

if TYPE_CHECKING:
    from localpower.api.model import Model

_OWNER = "conversation"  # of the pin that keeps the conversation in the cache between turns
Drive = Callable[[AnswerRun], Answer | None]


class Chat:
    """Turns of a user and a model. options and prompting may be changed between turns; seed: of the next answer.

    answers: of all turns so far, in the order in which they were drawn.
    """

    def __init__(
        self, model: Model, options: SamplingOptions, prompting: PromptOptions, seed: int | None = None
    ) -> None:
        self.options, self.prompting = options, prompting
        self.seed = chosen_seed(seed)
        self.answers: list[Answer] = []
        self.prompt_cache: Path | None = None  # for the first prompt
        self._model = model
        self._conversation = Conversation()

    @property
    def messages(self) -> tuple[dict[str, str], ...]:
        """What was said, by role."""
        return tuple(dict(message) for message in self._conversation.messages)

    def send(self, text: str, drive: Drive = run) -> Answer | None:
        """The answer to a message. drive: runs it, so that a view can watch.

        Raises UserError, or KeyboardInterrupt; then the message was not said. None: it was stopped before anything was
        drawn, by `drive` itself.
        """
        before = len(self._conversation.messages)
        found = None
        try:
            self._conversation.ask(text)
            found = self._answer(drive)
        finally:
            if found is None:
                self._conversation.truncate(before)
        return found

    def regenerate(self, drive: Drive = run) -> Answer | None:
        """Another answer to the last message, from the next seed. The old one is kept when that fails."""
        if not self._conversation.answered:
            raise UserError("there is no answer yet to draw again")
        before = len(self._conversation.messages) - 1
        text, tokens = self._conversation.messages[before]["content"], self._conversation.drawn.get(before)
        found = None
        try:
            self._conversation.truncate(before)
            found = self._answer(drive)
        finally:
            if found is None:
                self._conversation.truncate(before)
                self._conversation.answer(text, tokens)
        return found

    def clear(self) -> None:
        """A new conversation; the engine keeps what may serve again, such as a system message."""
        self._conversation.clear()
        self._model.unpin(_OWNER)

    def _answer(self, drive: Drive) -> Answer | None:
        with self._model.use() as interrupts:
            question = ask(self._model.loaded, self._conversation, self.options, self.prompting)
            interrupts.check()
            engine = self._model.room(question, interrupts)
            job = AnswerRun(self._model.loaded, engine, question, self.seed, interrupts, self.prompt_cache)
            answer = drive(job)
        # Only now: a turn that was interrupted is not part of the conversation.
        if answer is None or (not answer.tokens and answer.finish in ("interrupted", "budget")):
            return None
        self.seed, self.prompt_cache = self.seed + 1, None
        self._conversation.answer(answer.text, self._to_keep(answer.tokens, question, engine.eos))
        engine.pin(question.prompt + answer.tokens, _OWNER)
        self.answers.append(answer)
        return answer

    def _to_keep(self, tokens: Tokens, question: Question, eos: frozenset[int]) -> Tokens | None:
        """The tokens that the next prompt is to hold: without the one that ends a turn, for the template adds it."""
        ended = bool(tokens) and (tokens[-1] in eos or question.rules.ended(tokens))
        if not ended:
            return tokens
        if not self._model.loaded.piece(tokens[-1]):
            return tokens[:-1]
        return None  # a stop in the text: the part before it is what was said
