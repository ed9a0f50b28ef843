"""Answers to many prompts from one batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from localpower.api.answer_run import with_traces
from localpower.api.question import Question
from localpower.errors import UsageProblem
from localpower.loaded import Loaded
from localpower.loaded.thoughts import with_thoughts
from localpower.readers import MOST_RUNS
from localpower.runs.answer import Answer, RunContext, describe
from localpower.runs.gather import Engine
from localpower.runs.interrupt import Interrupts
from localpower.runs.many import Job, side_by_side
from localpower.runs.tally import Tally
from localpower.text.stops import answer_text


def fitting(questions: Sequence[Question], at_once: int) -> int:
    """How many of them share a batch."""
    width = max(question.sampler.width for question in questions)
    return max(min(at_once, MOST_RUNS // width, len(questions)), 1)


def answers(
    loaded: Loaded,
    engine: Engine,
    questions: Sequence[Question],
    seeds: Sequence[int],
    at_once: int,
    interrupts: Interrupts,
    on_answer: Callable[[int, Answer], None],
) -> list[Answer]:
    """An answer to each question; question i has the seed that stands there. Raises UserError, Interrupted."""
    if any(question.seconds is not None for question in questions):
        raise UsageProblem("a budget in seconds would make answers depend on each other", "use 4x or 5000t")
    jobs = [Job(question.prompt, question.sampler, seeds[i]) for i, question in enumerate(questions)]
    found: dict[int, Answer] = {}
    for outcome in side_by_side(engine, jobs, at_once, check=interrupts.check):
        question = questions[outcome.index]
        found[outcome.index] = described(
            loaded, question, seeds[outcome.index], outcome.tally, outcome.seconds
        )
        on_answer(outcome.index, found[outcome.index])
    return [found[i] for i in range(len(questions))]


def described(
    loaded: Loaded,
    question: Question,
    seed: int,
    tally: Tally,
    seconds: float,
    cost: Callable[[int], float] | None = None,
) -> Answer:
    """The answer of a run among others. cost: of rows in a batch; the time of a plain answer is measured with it."""
    pace = question.pace

    def text(tally: Tally) -> str:
        return answer_text(tally.state.last_turn, loaded.piece, question.stops)

    context = RunContext(
        question.sampler,
        question.alpha,
        seed,
        len(question.prompt),
        seconds,
        loaded.exactness,
        loaded.info.to_dict(),
        budget=question.options.method.budget,
        plain_seconds=lambda n: None if cost is None else pace.plain_seconds(n, cost),
        reading=pace.reading,
    )
    answer = with_traces(describe([tally], 0, question.options.pick, context, text), question, [tally])
    return with_thoughts(replace(answer, notes=question.notes), question.thought)
