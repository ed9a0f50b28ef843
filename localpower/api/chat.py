"""A conversation with a model: its turns, the engine that remembers it, and the answers so far."""

from __future__ import annotations

import datetime
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localpower.api.answer_run import AnswerRun, run
from localpower.api.question import Question, ask
from localpower.api.request import PromptOptions, SamplingOptions, chosen_seed
from localpower.api.turns import Alternative, Turn, after_calls, conversation, from_json, to_json
from localpower.errors import UserError
from localpower.model import Tokens
from localpower.runs.answer import Answer
from localpower.text.conversation import Conversation
from localpower.text.stops import answer_text

if TYPE_CHECKING:
    from localpower.api.model import Model

_OWNER = "conversation"  # of the pin that keeps the conversation in the cache between turns
Drive = Callable[[AnswerRun], Answer | None]


class Chat:
    """Turns of a user and a model. options and prompting may be changed between turns; seed: of the next answer.

    turns: what was said. answers: of all draws so far, in their order, those that no longer count too.
    """

    def __init__(
        self, model: Model, options: SamplingOptions, prompting: PromptOptions, seed: int | None = None
    ) -> None:
        self.options, self.prompting = options, prompting
        self.seed = chosen_seed(seed)
        self.answers: list[Answer] = []
        self.turns: list[Turn] = []
        self.prompt_cache: Path | None = None  # for the first prompt
        self.context = 0  # tokens of the last prompt and its answer
        self._model = model
        self._started = datetime.datetime.now()

    @property
    def messages(self) -> tuple[dict[str, str], ...]:
        """What was said, by role."""
        return tuple(dict(message) for message in self._said(self.turns).messages)

    def send(self, text: str, drive: Drive = run) -> Answer | None:
        """The answer to a message. drive: runs it, so that a view can watch.

        Raises UserError, or KeyboardInterrupt; then the message was not said. None: it was stopped before anything was
        drawn, by `drive` itself.
        """
        answer, kept = self._answer(self.turns, text, drive)
        if answer is not None:
            self.turns.append(Turn(text, [kept]))
        return answer

    def regenerate(self, drive: Drive = run) -> Answer | None:
        """Another answer to the last message, from the next seed. Those before are kept beside it."""
        turn = self._last("there is no answer yet to draw again")
        answer, kept = self._answer(self.turns[:-1], turn.question, drive)
        if answer is not None:
            turn.answers.append(kept)
            turn.chosen = len(turn.answers) - 1
        return answer

    def edit(self, text: str, drive: Drive = run) -> Answer | None:
        """Another text in the place of the last message, answered. When that fails nothing has changed."""
        self._last("there is no message yet to change")
        answer, kept = self._answer(self.turns[:-1], text, drive)
        if answer is not None:
            self.turns[-1] = Turn(text, [kept])
        return answer

    def alternative(self, step: int = 1) -> Turn:
        """Go on from the next of the answers to the last message, or the one before it (-1). Returns the turn.

        Raises UserError where there is one answer or none.
        """
        turn = self._last("there is no answer yet")
        if len(turn.answers) == 1:
            raise UserError("there is one answer to the last message", "regenerate draws another")
        turn.chosen = (turn.chosen + step) % len(turn.answers)
        return turn

    def undo(self) -> Turn:
        """Take back the last message and its answers, and return them. Raises UserError where there is none."""
        self._last("there is nothing to take back")
        return self.turns.pop()

    def drop(self, n: int) -> None:
        """Forget the n oldest turns. Raises UserError where there are fewer."""
        if not 1 <= n <= len(self.turns):
            there = {0: "there are none", 1: "there is 1"}.get(
                len(self.turns), f"there are {len(self.turns)}"
            )
            raise UserError(f"{n} turn{'' if n == 1 else 's'} cannot be forgotten: {there}")
        del self.turns[:n]

    def clear(self) -> None:
        """A new conversation; the engine keeps what may serve again, such as a system message."""
        self.turns.clear()
        self.context = 0
        self._started = datetime.datetime.now()
        self._model.unpin(_OWNER)

    def to_dict(self) -> dict[str, Any]:
        """The conversation as plain JSON values."""
        return {"started": self._started.isoformat(), "seed": self.seed, "turns": to_json(self.turns)}

    def restore(self, values: dict[str, Any], *, tokens: bool = True) -> None:
        """Go on with a conversation that `to_dict` gave; tokens: the same model drew it, and its very tokens count.

        Raises UserError for what it never gave; then nothing has changed.
        """
        turns = from_json(values.get("turns"))
        try:
            started, seed = datetime.datetime.fromisoformat(values["started"]), chosen_seed(values["seed"])
        except (KeyError, TypeError, ValueError):
            raise UserError("this is no saved conversation") from None
        if not tokens:
            for turn in turns:
                turn.answers = [Alternative(each.text, None, each.facts) for each in turn.answers]
        self.turns, self._started, self.seed = turns, started, seed

    def to_drop(self, text: str) -> int | None:
        """How many of the oldest turns must go so that a message that did not fit, and its answer, do.

        None: they do not fit even alone.
        """
        most = self._model.loaded.n_ctx

        def fits(n: int) -> bool:
            said = self._said(self.turns[n:], text)
            asked = ask(self._model.loaded, said, self.options, self.prompting)
            return most is None or len(asked.prompt) + self.options.max_tokens <= most

        # Fewer turns are fewer tokens, and each look renders the template: so it is halved, not walked.
        n = 1 + bisect_left(range(1, len(self.turns) + 1), True, key=fits)
        return n if n <= len(self.turns) else None

    def close(self) -> None:
        """Close the model."""
        self._model.close()

    def _last(self, otherwise: str) -> Turn:
        if not self.turns:
            raise UserError(otherwise)
        return self.turns[-1]

    def _said(self, turns: Sequence[Turn], question: str | None = None) -> Conversation:
        return conversation(turns, question, self._started)

    def _answer(self, before: Sequence[Turn], text: str, drive: Drive) -> tuple[Answer | None, Alternative]:
        """The answer to a message after turns, whose calls were made, and what is kept of it."""
        with self._model.use() as interrupts:
            prompting = replace(self.prompting, tools=after_calls(self.prompting.tools, before))
            question = ask(self._model.loaded, self._said(before, text), self.options, prompting)
            interrupts.check()
            engine = self._model.room(question, interrupts)
            job = AnswerRun(self._model.loaded, engine, question, self.seed, interrupts, self.prompt_cache)
            answer = drive(job)
        # Only now: a turn that was interrupted is not part of the conversation.
        if answer is None or (not answer.tokens and answer.finish in ("interrupted", "budget")):
            return None, Alternative("", None, {})
        self.seed, self.prompt_cache = (self.seed + 1) % 2**64, None
        self.context = len(question.prompt) + len(answer.tokens)
        engine.pin(question.prompt + answer.tokens, _OWNER)
        self.answers.append(answer)
        return answer, Alternative.of(answer, self._to_keep(answer.tokens, question, engine.eos))

    def _to_keep(self, tokens: Tokens, question: Question, eos: frozenset[int]) -> Tokens | None:
        """The tokens that the next prompt is to hold: without the one that ends a turn, for the template adds it."""
        ended = bool(tokens) and (tokens[-1] in eos or question.rules.ended(tokens))
        if not ended:
            return tokens
        piece = self._model.loaded.piece
        if answer_text(tokens, piece, question.stops) == answer_text(tokens[:-1], piece, ()):
            return tokens[:-1]
        return None  # a stop that begins before the last token: the part before it is what was said
