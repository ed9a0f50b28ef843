"""One answer: a question run on an engine, told event by event, and described at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from localpower import __version__
from localpower.api.question import Question
from localpower.chance import StreamDice
from localpower.events import Started
from localpower.loaded import Loaded
from localpower.loaded.thoughts import with_thoughts
from localpower.runs.answer import Answer, RunContext, describe
from localpower.runs.gather import Engine, Observer
from localpower.runs.interrupt import Interrupts
from localpower.runs.session import ChainRun, Events, Listener, pick, tell
from localpower.runs.tally import Tally
from localpower.text.stops import answer_text
from localpower.text.vocabulary import readable
from localpower.tools.report import report


@dataclass
class AnswerRun:
    """Everything that decides an answer. `events` runs it, once; `answer` says what came of it."""

    loaded: Loaded
    engine: Engine
    question: Question
    seed: int
    interrupts: Interrupts | None = None
    prompt_cache: Path | None = None
    notes: list[str] = field(default_factory=list)  # on the prompt cache
    _chains: ChainRun | None = None
    _began: float = 0.0
    _seconds: float = 0.0
    _work: tuple[int, int, int] = (0, 0, 0)

    @property
    def n_chains(self) -> int:
        """Chains in the batch."""
        return self.question.options.chains

    @property
    def started(self) -> Started:
        """The first event: what the answer depends on."""
        question, options = self.question, self.question.options
        settings, model = settings_told(self.loaded, question, self.seed), self.loaded.info.to_dict()
        return Started(question.sampler.method, settings, model, question.prompt, options.chains, __version__)

    def plain_seconds(self, n_tokens: int) -> float | None:
        """Seconds of a plain answer of so many tokens, by the speed of this run; None: not known yet."""
        return self.question.pace.plain_seconds(n_tokens, self.engine.cost)

    def events(self, watch: Observer = lambda _index, _context: None) -> Events:
        """Each event with its chain's number. watch: hears of every context that a chain asks for."""
        question = self.question
        before = self.loaded.work(self.engine)
        self._began = time.perf_counter()
        question.pace.start(question.seconds)
        if self.prompt_cache is not None:
            self.notes += self.loaded.warm(self.engine, question.prompt, self.prompt_cache)
        self._chains = ChainRun(
            self.engine,
            question.sampler,
            question.prompt,
            StreamDice(self.seed),
            self.n_chains,
            self.interrupts,
            question.pace,
        )
        try:
            yield from self._chains.events(watch)
        finally:
            self._seconds = time.perf_counter() - self._began
            after = self.loaded.work(self.engine)
            prefill, padded, wasted = (now - then for now, then in zip(after, before, strict=True))
            self._work = prefill, padded, wasted

    def answer(self) -> Answer:
        """What the events add up to."""
        assert self._chains is not None
        tallies, how = self._chains.tallies, self.question.options.pick
        return described(
            *(self.loaded, self.question, self.seed, tallies, self._seconds, self.engine.cost),
            picked=pick(tallies, how, StreamDice(self.seed)),
            work=self._work,
            notes=self.notes,
        )


def settings_told(loaded: Loaded, question: Question, seed: int) -> dict[str, Any]:
    """What an answer depends on besides the model and its prompt, as events record it."""
    return question.sampler.settings() | {
        "method": question.sampler.method,
        "alpha": question.alpha,
        "seed": seed,
        "pick": question.options.pick,
        "stops": [readable(stop) for stop in question.stops],
        "exactness": loaded.exactness,
        "budget": question.options.method.budget,
        "thinking_budget": question.thinking_budget,
        "tools": _tools(question),
        "thought_marks": list(question.thought.marks) if question.thought else None,
    }


def _tools(question: Question) -> dict[str, Any] | None:
    exchange, use = question.exchange, question.tools
    if exchange is None or use is None:
        return None
    return {
        "format": exchange.format.name,
        "environment": use.name,
        "seed": use.seed,
        "fresh": use.fresh,
        "turns": use.turns,
        "observation_tokens": use.observation_tokens,
    }


def described(
    loaded: Loaded,
    question: Question,
    seed: int,
    tallies: Sequence[Tally],
    seconds: float,
    cost: Callable[[int], float] | None = None,
    *,
    picked: int = 0,
    work: tuple[int | None, int | None, int | None] = (None, None, None),
    notes: Sequence[str] = (),
) -> Answer:
    """The answer of a run. cost: of rows in a batch; the time of a plain answer is measured with it.

    work: prefill tokens, padded and wasted rows; None: counted for others too. notes: besides those of the question.
    """
    pace = question.pace

    def text(tally: Tally) -> str:
        """Without the stop that ended it; of a trace the text of its last turn."""
        return answer_text(tally.state.last_turn, loaded.piece, question.stops)

    context = RunContext(
        question.sampler,
        question.alpha,
        seed,
        len(question.prompt),
        seconds,
        loaded.exactness,
        loaded.info.to_dict(),
        *work,
        budget=question.options.method.budget,
        plain_seconds=lambda n: None if cost is None else pace.plain_seconds(n, cost),
        reading=pace.reading,
    )
    found = describe(tallies, picked, question.options.pick, context, text)
    found = _with_traces(found, question, tallies, picked)
    return with_thoughts(replace(found, notes=(*question.notes, *notes)), question.thought)


def _with_traces(found: Answer, question: Question, tallies: Sequence[Tally], picked: int) -> Answer:
    """The answer and its chains with what happened in their traces; as it is where there are no tools."""
    exchange, use = question.exchange, question.tools
    if exchange is None or use is None:
        return found
    read = sum(tally.n_observed for tally in tallies)
    traces = [report(exchange, tally.state, tally.finish, use.name, read) for tally in tallies]
    chains = tuple(replace(chain, trace=trace) for chain, trace in zip(found.chains, traces, strict=False))
    return replace(found, trace=traces[picked], chains=chains)


def run(job: AnswerRun, listeners: Sequence[Listener] = ()) -> Answer:
    """Run to the end, telling listeners."""
    tell(job.events, listeners)
    return job.answer()
