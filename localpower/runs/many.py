"""Independent runs side by side: many jobs over one engine, each as it would be alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from localpower.chance import StreamDice
from localpower.model import Tokens
from localpower.runs.gather import Engine, Run, gather
from localpower.runs.tally import Tally
from localpower.samplers import Sampler


class Job(NamedTuple):
    """One run: as chain 0 of `run --seed`."""

    prompt: Tokens
    sampler: Sampler
    seed: int


@dataclass
class Outcome:
    """A run so far. seconds: the time that passes is split equally among the runs that are live."""

    index: int
    tally: Tally = field(default_factory=Tally)
    seconds: float = 0.0


def side_by_side(
    engine: Engine,
    jobs: Iterable[Job],
    at_once: int,
    *,
    check: Callable[[], None],
    heard: Callable[[int], None] = lambda _: None,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[Outcome]:
    """The outcome of each job, in the order in which they end; `at_once` of them share the batch.

    check may raise; what is running is then lost. heard: of how many tokens were drawn since.
    """
    live: dict[int, Outcome] = {}
    last = clock()

    def run(job: Job) -> Run:
        dice = StreamDice(job.seed).spawn(0)
        return Run(job.prompt, lambda handle: job.sampler.run(handle, job.prompt, dice))

    def runs() -> Iterator[Run]:
        for index, job in enumerate(jobs):
            live[index] = Outcome(index)
            yield run(job)

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
            yield live.pop(index)
        check()  # free steps ask for nothing
