"""A whole run: which answers are missing, made model by model and task by task, each on the disk when it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from localpower.errors import UserError
from localpower.evals.forecast import Probe, probe
from localpower.evals.grade import Grader
from localpower.evals.jobs import EvalMethod, Job, RenderedProblem, jobs
from localpower.evals.making import make_rows
from localpower.evals.store import Folder, Key, Row, key
from localpower.loaded import Loaded
from localpower.readers import MOST_RUNS
from localpower.runs.forecast import Forecast
from localpower.runs.gather import Engine

_MOST_CELLS = 1 << 15  # that an automatic width may ask of the cache
_WIDTHS = (1, 2, 4, 8, 16)  # the last one is for GPUs: there 16 rows cost little more than one
_NEARLY = 0.9  # of the best speed is good enough, with fewer answers lost by Ctrl-C


class Watcher(Protocol):
    """Hears how a run goes; changes nothing."""

    def expect(self, forecasts: Sequence[Forecast]) -> None:
        """What a model is to do, before it does any of it."""

    def begin(self, model: str, task: str, labels: Sequence[str], rows: Sequence[Row], n_each: int) -> None:
        """The answers of a task begin; rows: those that are there."""

    def start(self, n: int, tokens: float) -> None:
        """So many answers are being made now, of about so many tokens."""

    def drew(self, tokens: int) -> None:
        """Tokens drawn since."""

    def made(self, row: Row) -> None:
        """An answer is on the disk."""

    def aside(self) -> AbstractContextManager[None]:
        """While entered somebody else may write where this shows something."""


@dataclass
class Running:
    """asked: of each model and task. folder: None: for forecasts alone. parallel: None: automatic.

    matched: as kept in the settings, filled on the way.
    """

    folder: Folder | None
    asked: Mapping[str, Mapping[str, Sequence[RenderedProblem]]]
    methods: Sequence[EvalMethod]
    samples: int
    seed: int
    parallel: int | None
    save_text: bool
    grader: Grader
    watcher: Watcher
    check: Callable[[], None]
    rows: dict[Key, Row]
    matched: dict[tuple[str, str, str], float] = field(default_factory=dict)
    settle: Callable[[], None] = lambda: None  # writes what was matched into the settings
    _lengths: dict[str, float] = field(default_factory=dict)  # of a plain answer to each task, as probed

    def run(self, model: str, loaded: Loaded) -> None:
        """Make all answers of a model that are missing. What `check` raises ends it; all that was made is kept."""
        engine = self.expect(model, loaded)
        for task, asked in self.asked[model].items():
            free = [method for method in self.methods if method.matched is None]
            bound = [method for method in self.methods if method.matched is not None]
            for methods in filter(None, (free, bound)):
                self.match(model, task, methods)
                mine = [row for row in self.rows.values() if (row["model"], row["task"]) == (model, task)]
                labels = [method.label for method in methods]
                self.watcher.begin(model, task, labels, mine, len(asked) * self.samples)
                if missing := self.missing(model, task, methods):
                    engine = self._make(loaded, missing, asked, engine)

    def expect(self, model: str, loaded: Loaded) -> Engine | None:
        """Tell what is to come; returns the engine that the last probe used."""
        forecasts, engine = self.forecasts(model, loaded)
        if forecasts:
            self.watcher.expect(forecasts)
        return engine

    def forecasts(self, model: str, loaded: Loaded) -> tuple[list[Forecast], Engine | None]:
        """What is to come, by a short probe of each task; and the engine that the last of them used."""
        engine: Engine | None = None
        forecasts = []
        for task, asked in self.asked[model].items():
            if missing := self.missing(model, task, self.methods):
                engine, at_once, width = self._engine(loaded, missing, asked, engine)
                found = probe(loaded, engine, asked, at_once, self.check)
                self._lengths[task] = found.length
                tokens = self.expected(task, missing)
                rate = _rate(loaded, found, at_once, width)
                forecasts.append(Forecast(model, task, len(missing), tokens, rate, at_once))
        return forecasts, engine

    def keep(self, row: Row) -> None:
        """An answer was made: it is on the disk when this returns. Raises UserError."""
        assert self.folder is not None, "a forecast makes no answers"
        self.folder.add(row)
        self.rows[key(row)] = row
        self.watcher.made(row)

    def expected(self, task: str, missing: Sequence[Job]) -> float:
        """About how many tokens some answers to a task draw, once it was probed."""
        return sum(job.sampler.expected_cost() for job in missing) * self._lengths[task]

    def _make(
        self, loaded: Loaded, missing: Sequence[Job], asked: Sequence[RenderedProblem], engine: Engine | None
    ) -> Engine:
        engine, at_once, _ = self._engine(loaded, missing, asked, engine)
        self.watcher.start(len(missing), self.expected(asked[0].task.name, missing))
        made = make_rows(
            loaded,
            engine,
            missing,
            at_once,
            self.grader,
            save_text=lambda job: self.save_text or not job.asked.task.secret,
            check=self.check,
            heard=self.watcher.drew,
        )
        for row in made:
            self.keep(row)
        return engine

    def _engine(
        self, loaded: Loaded, missing: Sequence[Job], asked: Sequence[RenderedProblem], keep: Engine | None
    ) -> tuple[Engine, int, int]:
        """With how many answers at once it has room for, and contexts that each may ask for at a time."""
        width = max(job.sampler.width for job in missing)
        at_once = self.parallel or best_parallel(loaded, asked, width, len(missing))
        at_once = max(min(at_once, MOST_RUNS // width, len(missing)), 1)
        prompts = at_once * max(getattr(job.sampler, "n_prompts", 1) for job in missing)
        return engine_for(loaded, asked, at_once, width, self.check, keep, prompts), at_once, width

    def missing(self, model: str, task: str, methods: Sequence[EvalMethod]) -> list[Job]:
        """The answers that are not there yet. Raises what `check` raises."""
        self.check()
        return [job for job in self._jobs(model, task, methods) if job.key not in self.rows]

    def _jobs(self, model: str, task: str, methods: Sequence[EvalMethod]) -> Iterator[Job]:
        asked = self.asked[model][task]
        known = {(t, label): mean for (m, t, label), mean in self.matched.items() if m == model}
        for method in self.methods:
            if method.matched is not None and (task, method.label) not in known:  # so far only expected
                chain = next(other for other in self.methods if other.label == method.matched)
                known[task, method.label] = min(chain.make(asked[0], None)[0].expected_cost(), MOST_RUNS)
        return jobs(asked, model, methods, self.samples, self.seed, known)

    def match(self, model: str, task: str, methods: Sequence[EvalMethod]) -> None:
        """Fix how many answers best-of-n has, now that what it is matched to is done."""
        for method in methods:
            place = (model, task, method.label)
            if method.matched is not None and place not in self.matched:
                chain = (model, task, method.matched)
                other = [r for r in self.rows.values() if (r["model"], r["task"], r["method"]) == chain]
                self.matched[place] = times_drawn(other)
                self.settle()


def times_drawn(rows: Sequence[Row]) -> float:
    """Tokens that a chain drew over those of its first draws: how many such answers cost the same. At most a batch."""
    first = sum(row["first_drawn"] for row in rows)
    drawn = sum(row["decoded_tokens"] for row in rows)
    return min(max(drawn / first, 1.0), float(MOST_RUNS)) if first else 1.0


def best_parallel(loaded: Loaded, asked: Sequence[RenderedProblem], width: int, n: int) -> int:
    """As many answers at once as this machine gains by, and the cache has modest room for."""
    longest = max(len(question.longest_prompt) + question.longest for question in asked)
    speeds = {
        wide: loaded.speed(wide * width)
        for wide in _WIDTHS
        if wide <= n and wide * width <= MOST_RUNS and 2 * (width + 1) * wide * longest <= _MOST_CELLS
    }
    known = {wide: speed for wide, speed in speeds.items() if speed is not None}
    best = max(known.values(), default=0.0)
    return next((wide for wide, speed in known.items() if speed >= _NEARLY * best), 1)


def engine_for(
    loaded: Loaded,
    asked: Sequence[RenderedProblem],
    at_once: int,
    width: int,
    check: Callable[[], None],
    keep: Engine | None,
    prompts: int | None = None,
) -> Engine:
    """Room for `at_once` answers to different problems. prompts: that they have; None: one each.

    Raises UserError that names a problem that is too long.
    """
    longest, n = max(asked, key=lambda question: len(question.longest_prompt)), prompts or at_once
    prompt, most, rows = longest.longest_prompt, longest.longest, at_once * width
    try:
        return loaded.engine(prompt, most, rows, check, keep, chains=n, prompts=n)
    except UserError as error:
        raise UserError(f"{longest.problem.id}: {error.message}", error.hint) from None


def _rate(loaded: Loaded, found: Probe, at_once: int, width: int) -> float:
    """Tokens a second of a full batch: the probe's was as narrow as it had answers."""
    probed, full = loaded.speed(min(at_once, 4)), loaded.speed(at_once * width)
    return found.rate * (full / probed if probed and full else 1.0)
