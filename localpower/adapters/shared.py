"""One model for callers in many threads: whoever's turn it is answers all who wait for the same kind of answer."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, NamedTuple

from localpower.api.model import Model
from localpower.api.question import Prompt
from localpower.api.request import chosen_seed
from localpower.errors import UserError
from localpower.methods import Method
from localpower.runs.answer import Answer


class Kind(NamedTuple):
    """What questions must have in common to share a batch."""

    method: Method
    max_tokens: int
    stops: tuple[str, ...] = ()
    raw: bool = False
    think: bool | None = None


@dataclass(eq=False)
class Question:
    """Somebody's question, and what became of it. gone: nobody waits for its answer any more."""

    prompt: Prompt
    kind: Kind
    seed: int
    gone: bool = False
    answer: Answer | None = None
    problem: Exception | None = None

    @property
    def done(self) -> bool:
        """Whether there is anything to tell."""
        return self.answer is not None or self.problem is not None


class SharedModel:
    """A model that any number of threads may ask at once. at_once: most questions in a batch."""

    def __init__(self, model: Model, at_once: int = 8) -> None:
        self.model, self._at_once = model, at_once
        self._waiting: list[Question] = []
        self._list, self._turn = threading.Lock(), threading.Lock()

    def question(self, prompt: Prompt, kind: Kind, seed: int | None = None) -> Question:
        """A question that waits from now on. seed: None: drawn. Raises UsageProblem."""
        found = Question(prompt, kind, chosen_seed(seed))
        with self._list:
            self._waiting.append(found)
        return found

    def wait(self, question: Question) -> Answer:
        """Its answer. Raises UserError for this question alone, whoever shared the batch."""
        with self._turn:
            if not question.done:
                self._serve(self._alike(question))
        if question.answer is None:
            raise question.problem or UserError("nobody waited for this answer")
        return question.answer

    def alone(self, call: Any) -> Any:
        """What `call(model)` returns, while nobody else is answered."""
        with self._turn:
            return call(self.model)

    def close(self) -> None:
        """Free the model, once nobody is answered any more."""
        with self._turn:
            self.model.close()

    def _alike(self, first: Question) -> list[Question]:
        """The question and those that may share its batch; they wait no longer, nor do those who are gone."""
        with self._list:
            self._waiting = [each for each in self._waiting if not each.gone or each is first]
            others = [each for each in self._waiting if each is not first and each.kind == first.kind]
            found = [first, *others[: self._at_once - 1]]
            self._waiting = [each for each in self._waiting if each not in found]
        return found

    def _serve(self, questions: list[Question]) -> None:
        kind = questions[0].kind
        try:
            answers = self.model.generate_many(
                [each.prompt for each in questions],
                kind.method,
                seed=[each.seed for each in questions],
                max_tokens=kind.max_tokens,
                stops=kind.stops,
                raw=kind.raw,
                think=kind.think,
                at_once=self._at_once,
            )
        except UserError as error:
            if len(questions) == 1:
                questions[0].problem = error
                return
            for each in questions:  # one of them cannot be asked: the others shall not suffer
                self._serve([each])
            return
        for each, answer in zip(questions, answers, strict=True):
            each.answer = answer
