"""`localpower.stream_text`: an answer's text as soon as it can no longer change."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any

from localpower.api.answer_run import AnswerRun
from localpower.api.model import Model
from localpower.api.question import Prompt, conversation_of
from localpower.api.request import PromptOptions, SamplingOptions
from localpower.api.stream import Pieces
from localpower.methods import Method
from localpower.model import Tokens
from localpower.runs.answer import Answer
from localpower.runs.interrupt import Interrupts
from localpower.samplers.ancestral import Ancestral


class TextStream(Pieces[str]):
    """The pieces of an answer's text, none of them empty, to be iterated once. `answer` is the whole at the end.

    A stream that is left before its end is closed by `close`, or by the end of a `with` block, and has no answer.
    """


def stream_text(
    model: Model,
    prompt: Prompt,
    method: Method | str | None = None,
    *,
    seed: int | None = None,
    max_tokens: int = 256,
    system: str | None = None,
    raw: bool = False,
    stops: Sequence[str] = (),
    template_args: Mapping[str, Any] | None = None,
    think: bool | None = None,
    thinking_budget: int | None = None,
) -> TextStream:
    """The answer that `generate` gives, piece by piece. The arguments are those of `generate`.

    A method that draws one token after another (base, low-temp) gives each as it is drawn. Any step of a chain may
    change its whole answer, so that methods with steps give one piece, at the end.
    """
    options = SamplingOptions.of(method, max_tokens)
    prompting = PromptOptions.of(system, raw, stops, template_args, think, thinking_budget)
    conversation_of(prompt)  # what can never be asked is refused at once
    found: list[Answer] = []
    start = partial(model.job, prompt, options, prompting, seed)
    return TextStream(_pieces(model, start, found), found)


def _pieces(
    model: Model, start: Callable[[Interrupts], AnswerRun], found: list[Answer]
) -> Generator[str, None, None]:
    with model.use() as interrupts:
        job = start(interrupts)
        question = job.question
        sent, growing = "", _Growing(model.loaded.piece, question.stops, len(question.prompt))
        with closing(_contexts(job)) as contexts:
            for context in contexts:
                if isinstance(question.sampler, Ancestral):  # any other one may still change all of it
                    piece = growing.goes_on(context)
                    if piece:
                        sent += piece
                        yield piece
        answer = job.answer()
        if len(answer.text) > len(sent):
            yield answer.text[len(sent) :]
        found.append(answer)


def _contexts(job: AnswerRun) -> Generator[Tokens, None, None]:
    """Run a job; each context that its first chain asks for, as it does.

    The run lives in a greenlet of its own, which waits wherever its observer is told of a context.
    """
    from greenlet import getcurrent, greenlet

    reader = getcurrent()

    def body() -> None:
        with closing(job.events(lambda _chain, context: reader.switch(context))) as events:
            for _ in events:
                pass

    task = greenlet(body)
    try:
        while (context := task.switch()) is not None:
            yield context
            reader = getcurrent()
    finally:
        if not task.dead:
            task.throw()  # GreenletExit: the run unwinds where it waits


class _Growing:
    """Text from tokens that come one after another, short of what may turn out to be a stop."""

    def __init__(self, piece: Callable[[int], bytes], stops: Sequence[bytes], seen: int = 0) -> None:
        """seen: how many tokens of a context stand before the text."""
        self._piece, self._stops = piece, stops
        self._seen, self._waiting = seen, b""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def goes_on(self, context: Tokens) -> str:
        """What the tokens since the last call add; "": nothing that is certain yet."""
        data = self._waiting + b"".join(map(self._piece, context[self._seen :]))
        self._seen = len(context)
        lengths = range(min(max(map(len, self._stops), default=1) - 1, len(data)), 0, -1)
        open_ = next((n for n in lengths if any(stop.startswith(data[-n:]) for stop in self._stops)), 0)
        certain, self._waiting = data[: len(data) - open_], data[len(data) - open_ :]
        return self._decoder.decode(certain)
