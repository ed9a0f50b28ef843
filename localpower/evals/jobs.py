"""Which answers a run is to make, and from which chance each comes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from localpower.completion import Rules
from localpower.evals.problem import Problem
from localpower.evals.store import Key
from localpower.evals.task import Task
from localpower.model import Tokens
from localpower.samplers import Sampler
from localpower.text.thinking import Thought
from localpower.tools.exchange import Exchange


@dataclass(frozen=True, slots=True)
class RenderedProblem:
    """A problem as a model is asked it. chat: through its template. thinking: its end opens a thought.

    tokens: prompt and prefix. prefix: the opening that every answer is given, as its tokens spell it; n_prefix: how
    many of the last tokens that is. thought: how thoughts lie in its answers; None: there are none. shown: the prompt
    that shows the expert's answer too, and worked: that answer; as tokens. None: of no use here. exchange: who answers
    its calls; None: the task has no tools.
    """

    task: Task
    problem: Problem
    text: str
    tokens: Tokens
    chat: bool
    max_tokens: int
    stops: tuple[str, ...]
    rules: Rules
    thinking: bool = False
    prefix: str = ""
    n_prefix: int = 0
    thought: Thought | None = None
    shown: Tokens | None = None
    worked: Tokens | None = None
    exchange: Exchange | None = None

    @property
    def longest(self) -> int:
        """Most tokens of an answer: those that are drawn, and what its tools answer."""
        return self.max_tokens + (self.exchange.room if self.exchange else 0)

    def anew(self) -> RenderedProblem:
        """For one answer more: with an environment that nobody has called."""
        if self.exchange is None:
            return self
        exchange = self.exchange.anew()
        return replace(self, exchange=exchange, rules=replace(self.rules, turns=exchange))

    @property
    def longest_prompt(self) -> Tokens:
        """Of the prompts that a method may use."""
        return max(self.tokens, self.shown or (), key=len)


@dataclass(frozen=True, slots=True)
class EvalMethod:
    """make(asked, n): the sampler and the alpha it is about; n: of best-of-n when that is matched.

    label: as the user wrote it. matched: to the tokens of the method called so. needs_expert: it answers only the
    problems that have an expert's answer.
    """

    label: str
    make: Callable[[RenderedProblem, int | None], tuple[Sampler, float]]
    matched: str | None = None
    needs_expert: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """One answer to be made."""

    asked: RenderedProblem
    model: str
    method: str
    sample: int
    seed: int
    sampler: Sampler
    alpha: float

    @property
    def key(self) -> Key:
        """As of its row."""
        return self.asked.task.name, self.asked.problem.id, self.model, self.method, self.sample


def seed_of(seed: int, problem: str, sample: int) -> int:
    """An answer's own seed: the same for every method, and what `run --seed` takes to repeat it."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{problem}/{sample}".encode()).digest()[:8], "little")


def jobs(
    asked: Sequence[RenderedProblem],
    model: str,
    methods: Sequence[EvalMethod],
    samples: int,
    seed: int,
    matched: Mapping[tuple[str, str], float],
) -> Iterator[Job]:
    """All answers of a model to a task: sample by sample, problem by problem, the methods in turn.

    matched: by (task, method) how many answers best-of-n has on average; of neighbouring problems it has the whole
    numbers beside that.
    """
    for sample in range(samples):
        for i, question in enumerate(asked):
            for method in methods:
                if not method.needs_expert or question.worked is not None:
                    yield job_of(question, i, model, method, sample, seed, matched)


def job_of(
    question: RenderedProblem,
    place: int,
    model: str,
    method: EvalMethod,
    sample: int,
    seed: int,
    matched: Mapping[tuple[str, str], float],
) -> Job:
    """One answer. place: of the problem among all of its task. Others as of `jobs`."""
    n = None
    if method.matched is not None:
        mean = matched[question.task.name, method.label]
        n = max(round((place + 1) * mean) - round(place * mean), 1)
    own = seed_of(seed, question.problem.id, sample)
    mine = question.anew()
    sampler, alpha = method.make(mine, n)
    return Job(mine, model, method.label, sample, own, sampler, alpha)
