"""Answers made side by side: many jobs over one engine, each with a row at its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from localpower.evals.grade import Grader
from localpower.evals.jobs import Job
from localpower.evals.store import Row
from localpower.loaded import Loaded
from localpower.loaded.thoughts import with_thoughts
from localpower.runs import many
from localpower.runs.answer import RunContext, describe
from localpower.runs.gather import Engine
from localpower.text.stops import answer_text
from localpower.tools.report import TraceReport, report

_SHARED = ("model", "prefill_tokens", "padded_rows", "wasted_rows", "notes")  # of a batch, or of a screen


def make_rows(
    loaded: Loaded,
    engine: Engine,
    jobs: Sequence[Job],
    at_once: int,
    grader: Grader,
    *,
    save_text: Callable[[Job], bool],
    check: Callable[[], None],
    heard: Callable[[int], None] = lambda _: None,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[Row]:
    """A row for each job, in the order in which they end; `at_once` of them share the batch.

    check may raise; what is running is then lost. heard: of how many tokens were drawn since.
    """
    runs = (many.Job(job.asked.tokens, job.sampler, job.seed) for job in jobs)
    for one in many.side_by_side(engine, runs, at_once, check=check, heard=heard, clock=clock):
        job = jobs[one.index]
        yield _row(loaded, job, one, grader, save_text=save_text(job))


def _row(loaded: Loaded, job: Job, one: many.Outcome, grader: Grader, *, save_text: bool) -> Row:
    state = one.tally.state
    stops = [stop.encode() for stop in job.asked.stops]
    rounds = state.rounds  # of a trace the last turn is the answer
    text = ("" if rounds else job.asked.prefix) + answer_text(state.last_turn, loaded.piece, stops)
    model, n_prompt = loaded.info.to_dict(), len(job.asked.tokens)
    run = RunContext(job.sampler, job.alpha, job.seed, n_prompt, one.seconds, loaded.exactness, model)
    trace = _trace(job, one)
    described = describe([one.tally], 0, "random", run, lambda _: text)
    result = replace(with_thoughts(described, job.asked.thought), trace=trace)
    kept = {name: value for name, value in result.to_dict().items() if name not in _SHARED}
    observed = state.observed.nonzero()[0].tolist()
    given = state.given.nonzero()[0].tolist()
    task, problem, thinking = job.asked.task, job.asked.problem, job.asked.thinking and not rounds
    check = trace.check if trace else None
    return {
        "task": task.name,
        "id": problem.id,
        "model": job.model,
        **kept,
        "method": job.method,
        "sample": job.sample,
        "text": text if save_text else None,
        **grader.fields(task.kind, problem.gold, text, thinking=thinking, check=check),
        **({"answer_prefix": job.asked.prefix} if job.asked.prefix else {}),
        **({"given": given} if given else {}),
        **({"observed": observed} if trace else {}),
        "first_drawn": one.tally.n_first,
        "token_log_p": state.log_p.tolist(),
        "token_entropy": state.entropy.tolist(),
        "machine": loaded.machine,
    }


def _trace(job: Job, one: many.Outcome) -> TraceReport | None:
    """What happened in a trace; its environment is not needed any more."""
    exchange = job.asked.exchange
    if exchange is None:
        return None
    found = report(exchange, one.tally.state, one.tally.finish, job.asked.task.tools, one.tally.n_observed)
    exchange.forget()
    return found
