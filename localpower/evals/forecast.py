"""What a run will take, told before it starts: answers, tokens, seconds, from a few plain draws."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from localpower.chance import StreamDice
from localpower.evals.jobs import RenderedProblem
from localpower.loaded import Loaded
from localpower.model import Tokens
from localpower.runs.gather import Engine, Run, gather
from localpower.runs.tally import Tally
from localpower.samplers import Ancestral

_PROBED = 4  # answers
_TOKENS = 48  # of each at most
_PROBE = 1 << 40  # a seed that no answer has


@dataclass(frozen=True, slots=True)
class Probe:
    """rate: tokens a second. length: of a plain answer; one that the probe cut off counts as long as it may be."""

    rate: float
    length: float


def probe(
    loaded: Loaded,
    engine: Engine,
    asked: Sequence[RenderedProblem],
    at_once: int,
    check: Callable[[], None],
    clock: Callable[[], float] = time.perf_counter,
) -> Probe:
    """Draw a few plain answers as the run will: several at once."""
    chosen = asked[: min(max(at_once, 2), _PROBED)]

    def run(question: RenderedProblem, i: int) -> Run:
        sampler = Ancestral("base", 1.0, min(_TOKENS, question.max_tokens), question.rules)
        prompt, dice = question.tokens, StreamDice(_PROBE).spawn(i)
        return Run(prompt, lambda handle: sampler.run(handle, prompt, dice))

    def watch(_index: int, _context: Tokens) -> None:
        check()

    tallies = [Tally() for _ in chosen]
    start = clock()
    runs = [run(question, i) for i, question in enumerate(chosen)]
    for i, event in gather(engine, runs, watch, at_once=at_once):
        tallies[i] = tallies[i].add(event)
    seconds = max(clock() - start, 1e-9)
    lengths = [
        len(tally.state) if tally.state.ended else question.max_tokens
        for tally, question in zip(tallies, chosen, strict=True)
    ]
    return Probe(sum(len(tally.state) for tally in tallies) / seconds, sum(lengths) / len(lengths))
