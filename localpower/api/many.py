"""Answers to many prompts from one batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from localpower.api.answer_run import described
from localpower.api.question import Question
from localpower.errors import UsageProblem
from localpower.loaded import Loaded
from localpower.readers import MOST_RUNS
from localpower.runs.answer import Answer
from localpower.runs.gather import Engine
from localpower.runs.interrupt import Interrupts
from localpower.runs.many import Job, side_by_side


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
        i = outcome.index
        found[i] = described(loaded, questions[i], seeds[i], [outcome.tally], outcome.seconds)
        on_answer(i, found[i])
    return [found[i] for i in range(len(questions))]
