"""Answers made side by side: many jobs over one engine, each with a row at its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from localpower.chance import StreamDice
from localpower.evals.grade import Grader
from localpower.evals.jobs import Job
from localpower.evals.store import Row
from localpower.loaded import Loaded
from localpower.model import Tokens
from localpower.runs.gather import Engine, Run, gather
from localpower.runs.result import RunContext, describe
from localpower.runs.tally import Tally
from localpower.text.stops import answer_text

_SHARED = ("model", "prefill_tokens", "padded_rows", "wasted_rows")  # of a batch, not of an answer


@dataclass
class _Live:
    """An answer being made."""

    job: Job
    tally: Tally = field(default_factory=Tally)
    seconds: float = 0.0


def make_rows(
    loaded: Loaded,
    engine: Engine,
    jobs: Iterable[Job],
    at_once: int,
    grader: Grader,
    *,
    save_text: Callable[[Job], bool],
    check: Callable[[], None],
    heard: Callable[[int], None] = lambda _: None,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[Row]:
    """A row for each job, in the order in which they end; `at_once` of them share the batch.

    seconds: the time that passes is split equally among the answers being written. check may raise; what is running is
    then lost. heard: of how many tokens were drawn since.
    """
    live: dict[int, _Live] = {}
    last = clock()

    def runs() -> Iterator[Run]:
        for index, job in enumerate(jobs):
            live[index] = _Live(job)
            yield _run(job)

    def asked(_index: int, _context: Tokens) -> None:
        nonlocal last
        check()
        now = clock()
        for one in live.values():
            one.seconds += (now - last) / len(live)
        last = now

    for index, event in gather(engine, runs(), asked, at_once=at_once):
        one = live[index]
        before = one.tally.n_decoded
        one.tally = one.tally.add(event)
        heard(one.tally.n_decoded - before)
        if one.tally.finish:
            del live[index]
            yield _row(loaded, one, grader, save_text=save_text(one.job))
        check()  # free steps ask for nothing


def _run(job: Job) -> Run:
    """As chain 0 of `run --seed`."""
    prompt = job.asked.tokens
    return Run(prompt, lambda handle: job.sampler.run(handle, prompt, StreamDice(job.seed).spawn(0)))


def _row(loaded: Loaded, one: _Live, grader: Grader, *, save_text: bool) -> Row:
    job, state = one.job, one.tally.state
    stops = [stop.encode() for stop in job.asked.stops]
    text = answer_text(state.tokens, loaded.piece, stops)
    run = RunContext(
        job.sampler, job.alpha, job.seed, one.seconds, loaded.exactness, loaded.identity, 0, 0, 0
    )
    result: dict[str, Any] = describe([one.tally], 0, "random", run, lambda _: text)
    kept = {name: value for name, value in result.items() if name not in _SHARED}
    task, problem = job.asked.task, job.asked.problem
    return {
        "task": task.name,
        "id": problem.id,
        "model": job.model,
        **kept,
        "method": job.method,
        "sample": job.sample,
        "text": text if save_text else None,
        **graded(grader, task.kind, problem.gold, text),
        "first_drawn": one.tally.n_first,
        "token_log_p": state.log_p.tolist(),
        "token_entropy": state.entropy.tolist(),
    }


def graded(grader: Grader, kind: str, gold: Any, text: str) -> Row:
    """The fields of a verdict."""
    found = grader.grade(kind, gold, text)
    return {
        "verdict": found.verdict,
        "extracted": found.extracted,
        "lenient": found.lenient,
        "grader": grader.name(kind),
    }
